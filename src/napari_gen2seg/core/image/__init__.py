"""What an image is: axes, RGB, resampling, geometry."""
