"""Ground floor: standard library and numpy, used by every other room.

arguments  wrong types of arguments, refused by their annotations
atomic     write a file whole or not at all
checked    JSON values against the dataclass they are for
progress   callbacks for progress and cancel
text       durations, sizes and counts for people
types      array types, and the size of an image
upgraded   files of earlier versions, brought to the present one
user_dirs  where models, caches and unsaved work live
"""
