"""Layers that go together: napari cleans up after them once, not after each.

After every layer that is removed napari (0.8 on) collects all garbage of the process
and draws the canvas anew. Beside a loaded model's libraries there are half a million
objects to look at: a second of processor time a layer, in the window's thread.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer


def remove_layers(viewer: ViewerModel, layers: Iterable[Layer]) -> None:
    """Remove layers, those that are still there, with one cleaning up at the end."""
    going = [layer for layer in layers if layer in viewer.layers]
    if not going:
        return
    with _no_automatic_collection(), viewer.layers.batched_update():
        for layer in going:
            if layer in viewer.layers:  # a listener may have taken it
                viewer.layers.remove(layer)


@contextmanager
def _no_automatic_collection() -> Iterator[None]:
    """Leave the garbage to the collection at the end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
