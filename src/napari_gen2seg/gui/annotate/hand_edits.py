"""Objects that were painted or erased by hand: clicks start from what they are now.

What a commit wrote is remembered in the metadata of the Labels layer, as a checksum, so
that a change by brush, eraser, fill, another program or another object is noticed when
somebody comes back to the object; in a dock opened again, too.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_gen2seg.common.types import BoolArray
from napari_gen2seg.gui.annotate.commit import CommitError, read_object
from napari_gen2seg.gui.layers.overlays import MARK

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_gen2seg.gui.layers.view import View

_WRITTEN, _BY_HAND = "written", "by_hand"
_MOST = 16  # commits of an object that are remembered


class HandEdited(NamedTuple):
    """An object as it is in a Labels layer.

    Parameters
    ----------
    crop, corner
        bool (m, n) in pixels of the plane, and the (row, column) of its first pixel.
    settled
        So many of its clicks are in it already.
    """

    crop: BoolArray
    corner: tuple[int, int]
    settled: int


def remember(labels: Labels, view: View, number: int, clicks: int) -> None:
    """Note what a commit wrote, and how many clicks it came from."""
    found = _found(labels, view, number)
    if found is not None:
        written = _notes(labels, _WRITTEN).setdefault(_name(view, number), [])
        written.append([_checksum(*found), clicks])
        del written[:-_MOST]


def hand_edited(
    labels: Labels, view: View, number: int, clicks: int
) -> HandEdited | None:
    """Return an object that somebody painted, or changed since it was committed.

    Parameters
    ----------
    labels
        Where it is.
    view, number
        On which plane, and its number.
    clicks
        How many it has there; one that has none was not clicked.

    Returns
    -------
    HandEdited or None
        None for one that its clicks give, and where it has no pixel on the plane. What
        was made by hand once, counts as such from then on.
    """
    found = _found(labels, view, number)
    if found is None:
        return None
    name = _name(view, number)
    by_hand = _notes(labels, _BY_HAND)
    if name in by_hand:
        return HandEdited(*found, 0)
    written = _notes(labels, _WRITTEN).get(name, [])
    # Of any commit: the newest may have been taken back.
    if _checksum(*found) in (one for one, _ in written) or (clicks and not written):
        return None
    settled = written[-1][1] if written else 0
    by_hand[name] = True
    return HandEdited(*found, settled)


def _found(
    labels: Labels, view: View, number: int
) -> tuple[BoolArray, tuple[int, int]] | None:
    try:
        return read_object(labels, view, number)
    except CommitError:
        return None  # the layer does not reach the plane


def _notes(labels: Labels, name: str) -> dict[str, Any]:
    notes = labels.metadata.setdefault(MARK, {}).setdefault(name, {})
    return notes if isinstance(notes, dict) else {}


def _name(view: View, number: int) -> str:
    """Return the name of an object on a plane, as text, as files keep it."""
    others = (
        f"{axis}:{at}"
        for axis, at in enumerate(view.own_index)
        if axis not in view.own_axes
    )
    return " ".join((str(number), *others))


def _checksum(crop: BoolArray, corner: tuple[int, int]) -> int:
    place = np.array([*corner, *crop.shape]).tobytes()
    return zlib.crc32(np.packbits(crop).tobytes(), zlib.crc32(place))
