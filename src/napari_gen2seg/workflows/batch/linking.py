"""The planes of an image linked through z and time, a few in memory at a time."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.core.image.axes import Index
from napari_gen2seg.core.linking import Linker, LinkSettings, renumbered
from napari_gen2seg.io.formats.label_file import LabelFile
from napari_gen2seg.io.formats.omezarr_labels import LabelStore

Labels = LabelFile | LabelStore


def link_planes(labels: Labels, settings: LinkSettings) -> int:
    """Give objects one number through z and time, in place.

    Through z first, then volumes through time. Where only one axis numbers planes it is
    followed, whatever it is called; positions and the like are never linked.

    Returns
    -------
    int
        How many objects there are.
    """
    layout = labels.layout
    leading = layout.leading
    followed = [letter for letter in "ZT" if letter in leading]
    if len(leading) == 1:
        followed = [leading]
    sizes = dict(zip(leading, layout.planes, strict=True))
    others = [letter for letter in leading if letter not in followed]
    highest = 0
    for where in np.ndindex(*(sizes[letter] for letter in others)):
        place = dict(zip(others, where, strict=True))
        highest = _link(labels, settings, followed, place, sizes, highest)
    return highest


def _link(
    labels: Labels,
    settings: LinkSettings,
    followed: list[str],
    place: dict[str, int],
    sizes: dict[str, int],
    before: int,
) -> int:
    """Link one series of planes; numbers begin after those of the ones before."""
    leading = labels.layout.leading

    def index(**more: int) -> Index:
        spot = {**place, **more}
        return tuple(spot[letter] for letter in leading)

    if not followed:
        plane = labels.read(index())
        ids, flat = np.unique(plane, return_inverse=True)
        numbers = np.cumsum(ids > 0) * (ids > 0)
        numbers = np.where(numbers > 0, numbers + before, 0)
        labels.write(index(), numbers[flat].reshape(plane.shape))
        return max(before, int(numbers.max()))
    inner, outer = followed[0], followed[1:]
    highest = before
    volumes = Linker(settings)
    for moment in range(sizes[outer[0]] if outer else 1):
        here = {outer[0]: moment} if outer else {}
        planes = Linker(settings)
        stack = (
            [
                planes.next(labels.read(index(**here, **{inner: at})))
                for at in range(sizes[inner])
            ]
            if outer
            else None
        )
        if stack is not None:
            for at, plane in enumerate(volumes.next(np.stack(stack))):
                highest = max(highest, before + int(plane.max()))
                shifted = np.where(plane > 0, plane + before, 0)
                labels.write(index(**here, **{inner: at}), shifted)
            continue
        for at in range(sizes[inner]):
            linked = planes.next(labels.read(index(**{inner: at})))
            highest = max(highest, before + int(linked.max()))
            labels.write(index(**{inner: at}), np.where(linked > 0, linked + before, 0))
        for at, new in planes.part_at_necks().items():
            parted = {old + before: number + before for old, number in new.items()}
            highest = max(highest, *parted.values())
            whole = labels.read(index(**{inner: at}))
            labels.write(index(**{inner: at}), renumbered(whole, parted))
    return highest
