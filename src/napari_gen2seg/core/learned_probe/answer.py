"""What the network said about an object, and how a click may change it.

Guarantees, whatever a network says:

- a click that keeps is in the mask, and a click that leaves out is not;
- a later click changes only the connected pieces about it, within the window that was
  looked at for it (as in FocalClick, arXiv 2204.02574), so that what a person has made
  elsewhere stays;
- a lower threshold never loses a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray, Float32Array
from napari_gen2seg.core.learned_probe.inputs import Clicks
from napari_gen2seg.core.learned_probe.window import Box, Window
from napari_gen2seg.core.probe.mask import Mask

NOWHERE = -30.0
"""Logit of what was never looked at."""

_DRAWN = 6.0  # logit, above or below 0, of what was made by hand
_CLICKED = 1e6  # logit at a click: above and below every threshold
_BESIDE = (
    2.0  # px of the map, or samples: a changed piece so near to a click is its own
)
_AROUND = np.ones((3, 3), int)


@dataclass(frozen=True, eq=False)
class Answer:
    """The object under some clicks.

    Attributes
    ----------
    logits
        float32 (n, m), above 0 in the object; `NOWHERE` outside the box.
    box
        Where they lie in the map.
    clicks
        All clicks so far.
    held
        int (k, 2), pixels of the map: one in each piece of the object that stays
        although no click lies in it, because a click cut it off from elsewhere.
    quality
        0..1, the IoU that the network expects of this mask.
    """

    logits: Float32Array
    box: Box
    clicks: Clicks
    held: npt.NDArray[np.intp]
    quality: float

    @classmethod
    def first(
        cls, logits: Float32Array, box: Box, clicks: Clicks, quality: float
    ) -> Answer:
        """Take what the network says to the first clicks, one of them a keeping one."""
        logits, box = _grown(logits, box, clicks.pixels)
        logits = logits.copy()
        _obey(logits, box, clicks)
        nothing_held = np.zeros((0, 2), np.intp)
        return _one_object(cls(logits, box, clicks, nothing_held, quality))

    @classmethod
    def drawn(cls, mask: Mask, clicks: Clicks) -> Answer:
        """Take a mask that is there already, made by hand say; clicks correct it."""
        sure = np.where(mask.crop, _DRAWN, -_DRAWN).astype(np.float32)
        logits, box = _grown(sure, mask.bbox, clicks.pixels)
        pieces, count = ndimage.label(logits > 0, _AROUND)
        found = ndimage.maximum_position(logits, pieces, range(1, count + 1))
        held = np.asarray(found, np.intp).reshape(-1, 2) + np.asarray(box[:2], np.intp)
        return cls(logits, box, clicks, held, 1.0)

    def corrected(
        self,
        logits: Float32Array,
        box: Box,
        clicks: Clicks,
        quality: float,
        step: float = 1.0,
    ) -> Answer:
        """Take what the network says to one more click, as far as it concerns it.

        Parameters
        ----------
        logits, box
            What it says, and where: nothing outside the box changes, but the clicked
            pixel.
        clicks
            All clicks, the new one last.
        quality
            IoU that it expects.
        step
            Pixels of the map from one sample of the network to the next.
        """
        pixel, sign = clicks.pixels[-1], int(clicks.signs[-1])
        new, whole = _grown(logits, box, np.vstack([_corners(self.box), pixel]))
        old, _ = _grown(self.logits, self.box, np.vstack([_corners(box), pixel]))
        merged, at = old.copy(), pixel - np.asarray(whole[:2])
        inside = np.zeros(merged.shape, bool)
        inside[_place(box, whole)] = True
        reach = _BESIDE * max(step, 1.0)
        wrong = (new > 0) != (old > 0)
        chosen = _pieces_at(wrong & inside, at, reach)
        merged[chosen] = new[chosen]
        if (merged[tuple(at)] > 0) != (sign > 0):
            # The network does not follow: the click has at least its surroundings.
            spot = _disc(merged.shape, at, reach) & inside
            merged[spot] = sign * np.abs(merged[spot])
        _obey(merged, whole, clicks)
        before = np.zeros(merged.shape, bool)
        before[_place(self.box, whole)] = self.region(0.0)

        def now() -> Answer:
            held = _held(merged, before & ~inside, clicks.kept - np.asarray(whole[:2]))
            held = held + np.asarray(whole[:2], np.intp)
            return _one_object(Answer(merged, whole, clicks, held, quality))

        # Pieces may have come in by way of what is no part of the object after all.
        after = now().region(0.0)
        concerned = after != before
        concerned[tuple((clicks.pixels - np.asarray(whole[:2])).T)] = True
        stray = after & ~before & ~_pieces_at(concerned, at, reach)
        merged = np.where(stray, -np.abs(merged), merged)
        return now()

    def region(self, threshold: float) -> BoolArray:
        """Return the object above a threshold, bool (n, m), in the `box`."""
        pieces, _ = ndimage.label(self.logits > threshold, _AROUND)
        seeds = np.vstack([self.clicks.kept, self.held]) - np.asarray(self.box[:2])
        chosen = np.unique(pieces[seeds[:, 0], seeds[:, 1]])
        return np.asarray(np.isin(pieces, chosen[chosen > 0]))

    def seen_in(self, window: Window) -> Float32Array:
        """Return the probability of the object in a window, (SIDE, SIDE) in 0..1."""
        likely = 1 / (1 + np.exp(-np.clip(self.logits, NOWHERE, -NOWHERE)))
        # A rim of nothing, which is what a window repeats beyond the frame.
        frame = np.pad(likely, 1)[..., None]
        row, column = window.center
        moved = (row - self.box[0] + 1, column - self.box[1] + 1)
        return np.asarray(Window(moved, window.step).cut(frame)[0])


def _held(
    logits: Float32Array, beyond: BoolArray, kept: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Return a pixel of each piece that stays although no click lies in it, (k, 2).

    What a click cuts off goes, if all of it was in sight. Where it reaches ``beyond``
    what was looked at, nothing may change.
    """
    pieces, _ = ndimage.label(logits > 0, _AROUND)
    others = set(pieces[beyond].tolist()) - set(pieces[kept[:, 0], kept[:, 1]].tolist())
    held = []
    for piece in sorted(others - {0}):
        places = np.argwhere((pieces == piece) & beyond)
        values = logits[places[:, 0], places[:, 1]]
        held.append(places[int(values.argmax())])
    return np.asarray(held, np.intp).reshape(-1, 2)


def _one_object(answer: Answer) -> Answer:
    """Turn down all that is no part of the object, or a later click might join it."""
    other = (answer.logits > 0) & ~answer.region(0.0)
    logits = np.where(other, -answer.logits, answer.logits)
    return replace(answer, logits=logits)


def _corners(box: Box) -> npt.NDArray[np.intp]:
    """Return the first and the last pixel of a box, (2, 2)."""
    last = max(box[2] - 1, box[0]), max(box[3] - 1, box[1])
    return np.array([box[:2], last], np.intp)


def _place(inner: Box, outer: Box) -> tuple[slice, slice]:
    return (
        slice(inner[0] - outer[0], inner[2] - outer[0]),
        slice(inner[1] - outer[1], inner[3] - outer[1]),
    )


def _grown(
    logits: Float32Array, box: Box, pixels: npt.NDArray[np.intp]
) -> tuple[Float32Array, Box]:
    """Return logits in a box that holds some pixels, too."""
    low = np.minimum(box[:2], pixels.min(axis=0))
    high = np.maximum(box[2:], pixels.max(axis=0) + 1)
    whole = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    if whole == box:
        return logits, box
    grown = np.full((whole[2] - whole[0], whole[3] - whole[1]), NOWHERE, np.float32)
    grown[_place(box, whole)] = logits
    return grown, whole


def _obey(logits: Float32Array, box: Box, clicks: Clicks) -> None:
    """Put every clicked pixel where its click says."""
    at = clicks.pixels - np.asarray(box[:2])
    logits[at[:, 0], at[:, 1]] = clicks.signs * np.float32(_CLICKED)


def _pieces_at(where: BoolArray, at: npt.NDArray[np.intp], radius: float) -> BoolArray:
    """Return the connected pieces that a place lies in or beside."""
    pieces, _ = ndimage.label(where, _AROUND)
    near = np.unique(pieces[_disc(where.shape, at, radius)])
    return np.asarray(np.isin(pieces, near[near > 0]))


def _disc(shape: tuple[int, ...], at: npt.NDArray[np.intp], radius: float) -> BoolArray:
    rows, columns = (np.arange(n) - center for n, center in zip(shape, at, strict=True))
    return np.asarray(rows[:, None] ** 2 + columns**2 <= radius**2)
