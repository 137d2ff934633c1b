"""Arrays only: one image, from pixels to masks. No torch, no Qt, no napari.

coloring       `Coloring`: the value a model returns, and what can be asked of it
candidates     all objects without a click: `CandidateSet`, `select`, `paint`
proposal_settings  what they are found and selected by
propose        finds the candidates of a map
joined_labels  several label images of one image, made one
image_parts    corners, strips and halves that can be held back
linking        labels that hold through z or time
convex_runs    where an object of a stack narrows to a neck: two objects
outlines       masks as rings along pixel edges, and back
image/         axes, pixels to RGB, resampling, geometry
map/           the map as data: values, files, object size, brightness
tiling/        a plane too large for one look: tiles, and one answer
probe/         from clicks to a mask, by similarity of color
learned_probe/ from clicks to a mask, by a network that reads map and image
objects/       labelled objects: facts, tools that change them, candidates under review
"""
