"""Data sets in the making: nothing is lost, and what comes out others can read.

origin            where a mask comes from: model, map, clicks, who
project           the folder: images, classes, how far each image is
facts             what holds for all its images: `project.json`
item              one of its images
making            a project of the images that a person names, or filled with them
image_files       files that a person names to be added
classes           a class gets another name, in the work on every image
propose           objects proposed for images that nobody has begun
kept_map          the coloring map of an image, beside its work
progress          who made the objects, and how fast
training_sources  what a model can learn from it
replay            labels made again from what is known of them
journal/          every act on an image, in a file before it is shown
exchange/         labels of other programs in, data sets for them out
"""
