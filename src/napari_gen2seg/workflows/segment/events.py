"""What `iter_segment` tells, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_gen2seg.core.image.axes import Index

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.probe.mask import Mask


@dataclass(frozen=True)
class ModelReady:
    """The model is loaded: what it is, where it computes, and why there."""

    model_id: str
    device: str
    dtype: str
    reason: str


@dataclass(frozen=True, eq=False)
class PlaneColored:
    """A plane has its coloring map; ``number`` of ``count`` planes are done."""

    plane: Index
    coloring: Coloring
    number: int
    count: int


@dataclass(frozen=True)
class PlaneTiled:
    """A plane too large for one look is looked at in tiles: `done` of `tiles` are.

    ``text`` says how: the tiles, their overlap, the scale and why.
    """

    plane: Index
    text: str
    done: int
    tiles: int


@dataclass(frozen=True, eq=False)
class ObjectFound:
    """The clicks of one object have given a mask.

    ``pixels`` of it were free and carry its ``label`` now: what an earlier object
    holds is never overwritten. ``background`` are the (row, column) of those clicks to
    keep that lie on what the model takes for background.
    """

    plane: Index
    label: int
    mask: Mask
    pixels: int
    background: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Finished:
    """Everything is done.

    ``labels`` has the array's axes in their order, channels left out: int32, or what
    was given as ``labels_out``.
    """

    labels: Any


Event = ModelReady | PlaneColored | PlaneTiled | ObjectFound | Finished
