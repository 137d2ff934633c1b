"""napari's layers: the source and the view of it, overlays, the model input.

source       the image that is worked on
view         which plane of it, how it is read, where it lies
channels     which channels make the colors
model_input  the thumbnail of what the model sees
overlays     coloring, outlines of proposals, preview, as layers
window_frames
             frames around the colored windows of a large plane
canvas_layer a Labels layer that is drawn into in place
marks        what marks a layer as ours
removal      layers that go together
looks        layers drawn otherwise that hold what they held
layer_history
             where napari's own undo of a layer stands
hidden       hidden layers: sliced before they change; put aside
gl_context   whose OpenGL context is current when a layer goes
transform    where a layer lies in the world
camera       where the canvas looks
warm_up      what napari compiles for labels, ahead
layer_order  layers moved without being selected
"""
