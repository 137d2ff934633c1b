"""Objects of a label image: what is known of them, and how they are changed.

patch      one change of labels: a box with what was there and what is there now
find       pixels, boxes and numbers of objects; strokes and areas as pixels
edit       delete, merge, join what a stroke touches
split      an object cut by a line, between seeds, at its neck
reshape    grow, shrink, fill holes, smooth
measure    size, shape, brightness and texture of labels and of masks
table      one row an object: measures, certainty, origin, class
carry      objects go on into the next plane
carrying   objects on their way through a stack, each to its end
overlap    how much two masks agree, each a window of the image
similar    which objects look like some and unlike others
doubt      why a candidate may be wrong, in words
keep       candidates become objects
keep_stack candidates of many planes become objects that go through them
through    in which planes objects are, how large, and where
drawn      outlines of shown candidates
shown      candidates painted, and found under pointer, stroke and lasso
deleted    which candidates the objects were that a person deleted
review     candidates beside what is kept of them: shown, dropped, next
"""
