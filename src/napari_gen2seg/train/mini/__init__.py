"""How the embedded model is made, stage by stage.

config        the TOML file, a section a stage
dataset       the stream of crops
architecture  the untrained network
stages        what each stage asks of it
trainer       the loop
export        a model folder
map_stage     the map by center offsets: settings, loop, export
"""
