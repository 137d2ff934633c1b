"""What an image is: axes, whether it can be colored, RGB, resampling, geometry."""
