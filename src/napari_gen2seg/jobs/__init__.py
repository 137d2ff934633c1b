"""Child processes of the window.

child      start, watch and end one
publish    export and upload a model, off the window's thread
model/     the process that runs models
training/  the process that trains them
"""
