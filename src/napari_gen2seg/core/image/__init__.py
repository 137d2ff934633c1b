"""What a picture is: axes, RGB, resampling, geometry."""
