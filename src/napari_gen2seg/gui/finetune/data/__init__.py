"""Page 1 of fine-tuning: which labeled images.

page          the page
selection     what is ticked, and what it is used for
candidates    layers that can be trained on
search        looks through layers and folders, beside the window
project_rows  pictures of a project
image_view    an image with its labels
"""
