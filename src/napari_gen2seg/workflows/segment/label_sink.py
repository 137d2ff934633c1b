"""Where labels are written: an array, and whether it can take them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.errors import ImageError


class LabelSink(Protocol):
    """Where labels are written, such as a numpy or a zarr array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its length along each axis."""

    @property
    def dtype(self) -> Any:
        """Its type, of whole numbers."""

    def __setitem__(self, index: Any, value: Any, /) -> None:
        """Write a part of it."""


def check_fits(highest: int, most: int) -> None:
    """Refuse numbers that a sink cannot hold.

    Raises
    ------
    ImageError
        If ``highest`` is above the most that it holds.
    """
    if highest > most:
        raise ImageError(
            f"Object {highest} does not fit into labels_out, whose type holds "
            f"numbers up to {most}; take a larger type, such as int32."
        )


def check_sink(labels: LabelSink, layout: Axes) -> int:
    """Refuse what labels cannot be written to; return the largest it can hold.

    Raises
    ------
    ImageError
        If it has another shape, or no whole numbers.
    """
    shape, dtype = tuple(labels.shape), np.dtype(labels.dtype)
    if shape != layout.labels_shape or dtype.kind not in "ui":
        raise ImageError(
            f"labels_out has the shape {shape} and the type {dtype}; it must have the "
            f"shape {layout.labels_shape}, the array's without channels, and a type of "
            "whole numbers."
        )
    return int(np.iinfo(dtype).max)
