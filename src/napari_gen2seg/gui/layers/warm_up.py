"""What napari compiles for its first layer of labels, done before there is one.

Colors of labels are looked up in code that numba compiles when the first value is
looked up: seconds, the first time on a computer and, less of them, in every process.
Nothing of it touches Qt, so it is done on a worker thread while a person still looks
for the picture, or waits for the model's library.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.gui.layers.overlays import PREVIEW_COLORS

if TYPE_CHECKING:
    from napari.layers import Labels

_SIDE = 4  # pixels


@cache
def warm_up() -> None:
    """Have it compiled, once a process."""
    first_layers()


def first_layers() -> list[Labels]:
    """Make a layer of each kind that a coloring brings; they are in no viewer."""
    from napari.layers import Labels
    from napari.utils.colormaps import DirectLabelColormap

    overlay = DirectLabelColormap(color_dict=dict(PREVIEW_COLORS))
    return [
        Labels(np.zeros((_SIDE, _SIDE), np.uint8), colormap=overlay),
        Labels(np.zeros((_SIDE, _SIDE), np.int32)),
    ]
