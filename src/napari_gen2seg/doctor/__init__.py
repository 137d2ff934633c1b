"""What is wrong with an installation, and how to put it right.

Everything that may crash or hang (Qt, OpenGL, torch) is tried in child processes.
"""

from napari_gen2seg.doctor.checks import Finding, examine

__all__ = ["Finding", "examine"]
