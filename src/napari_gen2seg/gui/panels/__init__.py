"""Panels of the dock.

image_panel        which image, and what the model sees of it
model_panel        which model, on what it runs, how far it is
probe_panel        sign, tolerance, reach
review_panel       proposals: how certain, how large, how many are left
stack_panel        all planes of a stack: color, carry on
tool_buttons       tools that a click or stroke belongs to
edit_panel         tools for kept objects
keys_sheet         all keys, over the canvas
objects_panel      the Labels layer, commit, undo, count
model_combo        a drop-down of models
layer_combo        a drop-down of layers
resolution_choice  at which resolution the model works
object_size        how large the objects are
tolerance_plot     area against tolerance
docked             notices when the dock is closed
status_line        what just happened, as long as it is true
widgets            what panels are made of
"""
