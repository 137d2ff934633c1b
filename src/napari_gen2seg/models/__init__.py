"""Models that turn a picture into an instance colouring map.

Nothing here imports torch until a model is loaded: ``spec``, ``registry``, ``families``
and ``model_config`` may be imported by a menu or a command line at no cost.
"""
