"""What napari compiles for its first layer of labels, done before there is one.

Colors of labels are looked up in code that numba compiles when the first value is
looked up: seconds, the first time on a computer and, less of them, in every process.
It is done on a worker thread while a person still looks for the picture, or waits for
the model's library.

Only the lookup itself: a layer made beside one that Qt's thread makes would meet it
in pint's registry of units, which is filled when it is first asked, by whoever asks.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.gui.layers.overlays import PREVIEW_COLORS

if TYPE_CHECKING:
    import numpy.typing as npt


@cache
def warm_up() -> None:
    """Have it compiled, once a process; another napari may do so another way."""
    for colormap, values in first_labels():
        colormap.map(values)
        look_up = getattr(colormap, "_data_to_texture", None)
        if look_up is not None:
            look_up(values)


def first_labels() -> list[tuple[Any, npt.NDArray[Any]]]:
    """Return colormap and values of each kind of labels that a coloring brings."""
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    overlay = DirectLabelColormap(color_dict=dict(PREVIEW_COLORS))
    return [
        (overlay, np.zeros((4, 4), np.uint8)),
        (label_colormap(), np.zeros((4, 4), np.int32)),
    ]
