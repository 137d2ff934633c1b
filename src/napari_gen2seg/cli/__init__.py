"""The command line: ``napari-gen2seg COMMAND``.

Each command is a module of its own, loaded when it is called; none loads torch,
Qt or napari before it has work for them.

    main                  the group of commands
    color, segment, batch, evaluate, finetune, project, models, demo, doctor
                          a command each
    options, param_types  options that several share; kinds of values they take
    inputs                what they name is read and checked: a plane, a model, a size
    outputs               files written; none is lost without being told
    say                   words for the terminal, which nobody need be there to read
    plan_words            a training's plan at a terminal
    pictures              the images of the demo
    virtual_display       a screen for machines without one
"""

from napari_gen2seg.cli.main import main

__all__ = ["main"]
