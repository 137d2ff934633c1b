"""Models that turn an image into an instance coloring map.

Nothing here imports torch until a model is loaded: a menu or a command line may import
``spec``, ``registry``, ``families`` and ``model_config`` at no cost.

    colorer       `Colorer`, the protocol of every loaded model
    forwarding_colorer  its base where another process, or a host, holds the model
    base_colorer  what the families share: one image through the network, short memory
    registry      the list of models to choose from
    spec          what is known of a model before it is loaded
    loader        `load_model`: find, fetch, fit into memory, check
    model_folder  a model folder, read once
    model_config  gen2seg.json
    weights       weight files: found, checked, counted
    probes        `load_probe`: learned probes, which read maps and clicks
    json_file     JSON of a model folder, with errors that say what to do
    families/     `FAMILIES`: what each kind of network needs; a new one is added there
    networks/     torch modules and tensors
    runtime/      device, memory, placement, compilation, resolution
    hub/          published models: fetched, kept, licensed
    library/      one's own models: kept, imported, exported
    mini/         the embedded model
    mini_probe/   its learned probe
"""
