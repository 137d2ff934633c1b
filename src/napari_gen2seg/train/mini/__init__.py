"""How the embedded model is made, stage by stage.

config        the TOML file, a section a stage
dataset       the stream of crops
architecture  the untrained network
stages        what each stage asks of it
trainer       the loop
export        a model folder
open_ended    the loop of a stage that has no end of its own, and can be finished
map_stage     the map by center offsets: settings, loop, export
probe_stage   the learned probe: settings, loop, export
simulated_clicks  objects clicked as people click, and corrected
disturbed_maps    maps as other painters, or worse ones, would have made them
"""
