"""Annotation: from pointer and clicks to a committed object.

bridge          reads the layers, asks the session, shows the answer
pointer         moves and clicks on the canvas
points_layer    the Points layer of the clicks, and its keys
points_table    its features: signs, object numbers
enter_key       Enter on the image's own layer
hover           the preview under the pointer
controller      clicks become objects, and back
commit          a mask into Labels: one step, one undo
labels_layer    the Labels layer of the objects
labels_target   whether a Labels layer can take them
hand_edits      objects made by hand, from which clicks start
label_patches   many objects into Labels: one step, one undo
review          proposals: shown, kept, dropped, gone to
stack_work      planes colored ahead, objects carried on
redo            what was taken back and can be done again
object_numbers  the number of the object being clicked
"""
