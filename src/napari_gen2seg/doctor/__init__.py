"""What is wrong with an installation, and how to put it right.

Everything that may crash or hang (Qt, OpenGL, torch) is tried in child processes.

    checks    every check, in order
    finding   one line of the report
    software  Python, packages, torch
    storage   weights, folders, memory
    screen    Qt, napari, the canvas
    trial     a trial in a child process, which may crash
"""

from napari_gen2seg.doctor.checks import Finding, examine

__all__ = ["Finding", "examine"]
