"""Classes of objects in the window.

book       which classes there are: those of the project, or the person's own
panel      the list of them in the dock
name_edit  a name changed in the list itself
renaming   another name, for all objects of a class
colors     objects in the colors of their classes; the classes as features
dock_side  keeps list and colors at what the image in view has
"""
