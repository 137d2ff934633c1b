"""Annotation: from pointer and clicks to a committed object.

bridge          reads the layers, asks the session, shows the answer
pointer         moves and clicks on the canvas
strokes         strokes and Ctrl-clicks, and whom they are for
points_layer    the Points layer of the clicks
click_keys      its keys, and what each asks for
points_table    its features: signs, object numbers
drawn_clicks    boxes and scribbles become clicks
image_keys      keys on the image's own layer
hover           the preview under the pointer
controller      all of this put together
current_object  the object being clicked: clicks, mask, commit
commit          a mask into Labels: one step, one undo
written         what is written into it, for undo and journal
commit_log      what was written, in order: taken back and done again
count           how many objects labels hold, plane by plane
tally           how many the layer holds, and which numbers are free
labels_layer    the Labels layer of the objects
labels_target   whether a Labels layer can take them
hand_edits      objects made by hand, from which clicks start
label_patches   many objects into Labels: one step, one undo
proposed_plane  proposals found in a map, and drawn anew by the learned probe
proposed_planes
                the planes that were looked at, and thresholds by image
proposal_preview
                a proposal under the pointer, lit and in words
kept_preview    a kept object under the pointer, lit
review          proposals: shown, kept, dropped, gone to
stack_work      planes colored ahead, objects carried on, proposals kept in all
stack_carry     objects carried from plane to plane, written
stack_keep      proposals of all planes found, linked, numbered, written
stack_tracks    where objects are through the planes: found, shown, outdated
tracks_layer    the objects of a stack as napari's Tracks
dropped_proposals
                what a person dropped, taken back and dropped again
proposal_round  from proposal to proposal
deleted_proposals
                proposals whose objects were deleted, dropped with them
likeness        only proposals that look like what was kept, if asked for
similar         how much each does; on any thread
object_tools    what is kept is deleted, joined, cut, grown, corrected
class_giver     classes given to objects
tool_keys       names, words and keys of these tools
history         undo and redo of all that
redo            what was taken back and can be done again
object_numbers  the number of the object being clicked
"""
