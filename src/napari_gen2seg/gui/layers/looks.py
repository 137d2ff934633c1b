"""Layers drawn otherwise, holding what they held: who counts labels need not again.

napari tells of its own undo and redo nothing but that the layer was drawn, so whoever
keeps count of labels has to take every drawing for an edit. Here we say of ours which
are none.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Layer

_changing: list[str] = []  # ``unique_id`` of layers, one for every change in progress


@contextmanager
def looks_only(layer: Layer) -> Iterator[None]:
    """Change colors of a layer, or which of its objects are shown, and nothing else."""
    _changing.append(str(layer.unique_id))
    try:
        yield
    finally:
        _changing.pop()


def may_be_edited(layer: Layer | None) -> bool:
    """Whether a layer that is drawn just now may hold something else than before."""
    return layer is None or str(layer.unique_id) not in _changing
