"""Reading and writing files: images, labels, and what is kept between runs."""
