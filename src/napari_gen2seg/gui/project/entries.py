"""What the list tells of a picture of a project; read on any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.project.propose import DOUBT, PROPOSALS

if TYPE_CHECKING:
    from napari_gen2seg.io.formats.images import ImageFile
    from napari_gen2seg.project.item import Item
    from napari_gen2seg.project.origin import Origin

SIDE = 64  # pixels of a thumbnail


@dataclass(frozen=True, eq=False)
class Entry:
    """A picture of the list.

    Attributes
    ----------
    item
        The picture.
    state
        How far it is; see `project.journal.state.STATES`.
    objects
        Object -> where it comes from; None for a brush.
    doubt
        How doubtful its proposals are, 0..1; None where nobody has looked.
    problem
        Why it cannot be worked on, as a sentence.
    key
        Content of the picture; see `ImageIdentity`.
    now
        How many objects it has while it is open; None while it is not.
    waiting
        How many proposals wait to be looked at, beside its objects.
    """

    item: Item
    state: str = "untouched"
    objects: Mapping[int, Origin | None] = field(default_factory=dict)
    doubt: float | None = None
    problem: str = ""
    key: str = ""
    now: int | None = None
    waiting: int = 0

    @property
    def name(self) -> str:
        """Unique in the project."""
        return self.item.name

    @property
    def count(self) -> int:
        """How many objects it has."""
        return len(self.objects) if self.now is None else self.now


def read_entry(item: Item) -> Entry:
    """Read how far a picture is; what goes wrong is in ``problem``."""
    try:
        work = item.work()
        labels = work.labels()
    except Gen2SegError as error:
        return Entry(item, problem=str(error))
    numbers = np.unique(labels)
    origins = {int(n): work.state.origins.get(int(n)) for n in numbers if n > 0}
    doubt = work.state.settings.get(DOUBT)
    known = doubt if isinstance(doubt, float | int) else None
    there = work.image.path is not None and work.image.path.exists()
    gone = "" if there else f"There is no {work.image.path} any more."
    state, waiting = work.state.state, work.state.settings.get(PROPOSALS)
    return Entry(
        item,
        state,
        origins,
        known,
        gone,
        work.image.key,
        waiting=waiting if isinstance(waiting, int) and state == "proposed" else 0,
    )


def thumbnail(item: Item) -> npt.NDArray[np.uint8] | None:
    """Return a small uint8 (h, w, 3) of a picture; None where it cannot be read."""
    try:
        image = item.image()
        plane = image.plane(middle(image))
        step = max(1, int(np.ceil(max(plane.shape[:2]) / (2 * SIDE))))
        rgb = to_rgb(plane[::step, ::step])
    except (Gen2SegError, ValueError, OSError):
        return None
    half = max(1, round(max(rgb.shape[:2]) / SIDE))
    small = rgb[::half, ::half] if half > 1 else rgb
    return np.ascontiguousarray((np.clip(small, 0, 1) * 255).astype(np.uint8))


def middle(image: ImageFile) -> tuple[int, ...]:
    """Return the place of the plane in the middle of a stack."""
    return tuple(n // 2 for n in Axes.of(image.pixels, image.axes).planes)


def ordered(entries: Sequence[Entry], state: str, order: str) -> list[Entry]:
    """Return the entries in a state, in an order.

    Parameters
    ----------
    entries
        All of them, by name.
    state
        Empty for all.
    order
        ``"name"``, or ``"doubt"``: the most doubtful first, what nobody knows of last.
    """
    chosen = [one for one in entries if state in ("", one.state)]
    if order == "doubt":
        chosen.sort(key=lambda one: -1.0 if one.doubt is None else one.doubt)
        chosen.reverse()
        unknown = [one for one in chosen if one.doubt is None]
        return [*(one for one in chosen if one.doubt is not None), *unknown[::-1]]
    return chosen
