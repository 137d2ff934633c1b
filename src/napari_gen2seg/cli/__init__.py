"""The command line: ``napari-gen2seg COMMAND``.

Each command is a module of its own, loaded when it is called; none loads torch,
Qt or napari before it has work for them.
"""

from napari_gen2seg.cli.main import main

__all__ = ["main"]
