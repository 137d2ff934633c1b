"""Reading and writing files: pictures, labels, and what is kept between runs."""
