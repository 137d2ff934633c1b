"""What a probe answers: one object as a mask with a score.

A mask keeps only its bounding box. The whole frame, at the size of the map or
of the source, is built when somebody asks, so that hovering over a huge picture
costs no more than hovering over a small one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.common.types import BoolArray, Float32Array, Shape
from napari_gen2seg.core.image.geometry import nearest_pixel, rescale
from napari_gen2seg.core.image.resample import resample
from napari_gen2seg.core.probe.guided_outline import REACH, follow_image

BBox = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Mask:
    """One object of a coloring map.

    Attributes
    ----------
    crop
        bool, the mask inside ``bbox``, at the size of the map; read-only.
    bbox
        (row0, column0, row1, column1), half open, in pixels of the map.
    shape
        (h, w) of the map.
    source_shape
        (H, W) of the picture.
    score
        0..1, how much this looks like one whole object.
    tolerance
        Colour distance really used, 0..441; NaN for the published rule.
    keep, drop
        Source pixels (row, column) of the positive and negative clicks. They are
        in, and out of, the mask at source size whatever rounding would say.
    exact
        False for a preview in coarse blocks, as a moving pointer gets it.
    brightness_image
        uint8 (H, W), the picture's brightness, which the outline at the size of the
        source follows; None where it is to follow the map alone.
    method
        Which probe found it: ``"similarity"`` or ``"learned"``.
    before
        The mask that a click corrected; where nothing changed on the map, this one is
        at the size of the source what that one was.
    drawn
        The mask at the size of the source where it was made there, by hand, and the
        (row, column) of its first pixel.
    refused
        How many times as large the mask would be, had the last click been insisted on;
        NaN where it had all that it asked for.
    """

    crop: BoolArray
    bbox: BBox
    shape: Shape
    source_shape: Shape
    score: float = 1.0
    tolerance: float = float("nan")
    keep: tuple[tuple[int, int], ...] = ()
    drop: tuple[tuple[int, int], ...] = ()
    exact: bool = True
    brightness_image: npt.NDArray[np.uint8] | None = None
    method: str = "similarity"
    before: Mask | None = None
    drawn: tuple[BoolArray, tuple[int, int]] | None = None
    refused: float = float("nan")

    def __post_init__(self) -> None:
        check_fields(self)
        crop = np.array(self.crop, bool)
        crop.flags.writeable = False
        object.__setattr__(self, "crop", crop)

    @classmethod
    def from_window(
        cls,
        window: BoolArray,
        origin: tuple[int, int],
        shape: Shape,
        source_shape: Shape,
        *,
        score: float = 1.0,
        tolerance: float = float("nan"),
        keep: tuple[tuple[int, int], ...] = (),
        drop: tuple[tuple[int, int], ...] = (),
    ) -> Mask:
        """Trim a window of the map, placed at ``origin``, to what it holds."""
        box = _extent(window)
        return cls(
            window[box[0] : box[2], box[1] : box[3]],
            (
                box[0] + origin[0],
                box[1] + origin[1],
                box[2] + origin[0],
                box[3] + origin[1],
            ),
            shape,
            source_shape,
            score=score,
            tolerance=tolerance,
            keep=keep,
            drop=drop,
        )

    @classmethod
    def from_source(
        cls,
        crop: BoolArray,
        corner: tuple[int, int],
        shape: Shape,
        source_shape: Shape,
    ) -> Mask:
        """Wrap a mask that was made at the size of the source, by hand say.

        Parameters
        ----------
        crop
            bool (m, n), at the size of the source.
        corner
            (row, column) of its first pixel.
        shape, source_shape
            (h, w) of the map and (H, W) of the source.
        """
        box = _extent(crop)
        tight = np.array(crop[box[0] : box[2], box[1] : box[3]])
        row, col = corner[0] + box[0], corner[1] + box[1]
        drawn = tight, (row, col)
        if shape == source_shape or not tight.size:
            box = (row, col, row + tight.shape[0], col + tight.shape[1])
            return cls(tight, box, shape, source_shape, drawn=drawn)
        ends = [[row, col], [row + tight.shape[0] - 1, col + tight.shape[1] - 1]]
        low, high = nearest_pixel(rescale(ends, source_shape, shape), shape)
        grid = np.moveaxis(np.mgrid[low[0] : high[0] + 1, low[1] : high[1] + 1], 0, -1)
        at = nearest_pixel(rescale(grid, shape, source_shape), source_shape)
        at -= (row, col)
        inside = ((at >= 0) & (at < tight.shape)).all(axis=-1)
        window = np.zeros(inside.shape, bool)
        window[inside] = tight[at[inside][:, 0], at[inside][:, 1]]
        origin = (int(low[0]), int(low[1]))
        return replace(
            cls.from_window(window, origin, shape, source_shape), drawn=drawn
        )

    def holds(self, pixel: tuple[int, int]) -> bool:
        """Whether a pixel of the map is in the mask."""
        row, col = pixel[0] - self.bbox[0], pixel[1] - self.bbox[1]
        inside = 0 <= row < self.crop.shape[0] and 0 <= col < self.crop.shape[1]
        return bool(inside and self.crop[row, col])

    def within(self, box: BBox) -> BoolArray:
        """Return a window of the mask, at the size of the map."""
        out = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
        r0, c0 = max(box[0], self.bbox[0]), max(box[1], self.bbox[1])
        r1, c1 = min(box[2], self.bbox[2]), min(box[3], self.bbox[3])
        if r1 > r0 and c1 > c0:
            r, c = self.bbox[:2]
            part = self.crop[r0 - r : r1 - r, c0 - c : c1 - c]
            out[r0 - box[0] : r1 - box[0], c0 - box[1] : c1 - box[1]] = part
        return out

    @cached_property
    def array(self) -> BoolArray:
        """The mask at the size of the map, bool (h, w), read-only."""
        frame = np.zeros(self.shape, bool)
        r0, c0, r1, c1 = self.bbox
        frame[r0:r1, c0:c1] = self.crop
        frame.flags.writeable = False
        return frame

    @property
    def area(self) -> int:
        """Pixels of the map inside the mask."""
        return int(np.count_nonzero(self.crop))

    def iou(self, other: Mask) -> float:
        """Return the overlap with another mask of the map, 0..1."""
        box = self.bbox
        both = int(np.count_nonzero(self.crop & other.within(box)))
        return both / max(self.area + other.area - both, 1)

    def full(self) -> BoolArray:
        """Return the mask at the size of the source, bool (H, W)."""
        frame = np.zeros(self.source_shape, bool)
        crop, (r0, c0) = self.window()
        frame[r0 : r0 + crop.shape[0], c0 : c0 + crop.shape[1]] = crop
        return frame

    def window(self) -> tuple[BoolArray, tuple[int, int]]:
        """Return the mask at the size of the source, bounding box only.

        Returns
        -------
        tuple
            bool crop and the (row, column) of its first pixel in the source.
        """
        crop, origin = self._window
        return crop.copy(), origin

    @cached_property
    def _window(self) -> tuple[BoolArray, tuple[int, int]]:
        if self.drawn is not None:
            return self.drawn
        if self.before is not None:
            return self._corrected(self.before)
        if self.shape == self.source_shape and not (self.keep or self.drop):
            return self.crop, (self.bbox[0], self.bbox[1])
        box = self._source_box(self.bbox)
        return self._forced(self._at_source(box), box)

    def _corrected(self, before: Mask) -> tuple[BoolArray, tuple[int, int]]:
        """Return the mask before at the size of the source, and in it what changed."""
        old, corner = before.window()
        both = _around(self.bbox, before.bbox)
        changed = Mask.from_window(
            self.within(both) ^ before.within(both),
            (both[0], both[1]),
            self.shape,
            self.source_shape,
        )
        box = _around(
            (*corner, corner[0] + old.shape[0], corner[1] + old.shape[1]),
            *((row, col, row + 1, col + 1) for row, col in (*self.keep, *self.drop)),
        )
        if not changed.area:
            return self._forced(_placed(old, corner, box), box)
        part = self._source_box(changed.bbox)
        box = _around(box, part)
        out = _placed(old, corner, box)
        here = out[part[0] - box[0] : part[2] - box[0], part[1] - box[1] :]
        here = here[:, : part[3] - part[1]]
        np.copyto(here, self._at_source(part), where=_soft(changed, part) > 0)
        return self._forced(out, box)

    def _forced(self, out: BoolArray, box: BBox) -> tuple[BoolArray, tuple[int, int]]:
        """Put the clicks into a window of the source and trim it."""
        _force(out, box, self.keep, True)
        _force(out, box, self.drop, False)
        r0, c0, r1, c1 = _extent(out)
        return np.ascontiguousarray(out[r0:r1, c0:c1]), (box[0] + r0, box[1] + c0)

    def _source_box(self, bbox: BBox) -> BBox:
        """Return the window of the source that a window of the map has a say in."""
        size = np.asarray(self.source_shape)
        corners = rescale(
            [[bbox[0] - 1, bbox[1] - 1], [bbox[2], bbox[3]]],
            self.shape,
            self.source_shape,
        )
        rim = 0 if self.brightness_image is None else 2 * self._radius
        low = np.clip(np.floor(corners[0]).astype(np.intp), 0, size - 1)
        high = np.clip(np.ceil(corners[1]).astype(np.intp) + 1, 1, size)
        # The filter looks, and may move rims, that far.
        low, high = np.maximum(low - rim, 0), np.minimum(high + rim, size)
        return _around(
            (int(low[0]), int(low[1]), int(high[0]), int(high[1])),
            *((row, col, row + 1, col + 1) for row, col in self.keep),
        )

    @property
    def _radius(self) -> int:
        return round(REACH * self.source_shape[0] / self.shape[0])

    def _at_source(self, box: BBox) -> BoolArray:
        """Return a window of the mask at the size of the source."""
        if self.shape == self.source_shape:
            return self.within(box)
        soft = _soft(self, box)
        if self.brightness_image is None:
            return soft >= np.float32(0.5)
        here = self.brightness_image[box[0] : box[2], box[1] : box[3]]
        return follow_image(soft, here, self._radius)


def _soft(mask: Mask, box: BBox) -> Float32Array:
    """Return how far each pixel of a window of the source is in a mask, 0..1."""
    if mask.shape == mask.source_shape:
        return mask.within(box).astype(np.float32)
    return resample(
        mask.crop.astype(np.float32),
        (mask.bbox[0], mask.bbox[1]),
        mask.shape,
        mask.source_shape,
        box,
    )


def _placed(crop: BoolArray, corner: tuple[int, int], box: BBox) -> BoolArray:
    """Return a window that holds a crop lying at ``corner``."""
    out = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
    row, col = corner[0] - box[0], corner[1] - box[1]
    out[row : row + crop.shape[0], col : col + crop.shape[1]] = crop
    return out


def _around(*boxes: BBox) -> BBox:
    """Return the window around all that are not empty."""
    held = [box for box in boxes if box[2] > box[0] and box[3] > box[1]] or [(0,) * 4]
    low, high = np.min(held, axis=0), np.max(held, axis=0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])


def _force(
    out: BoolArray,
    box: BBox,
    points: tuple[tuple[int, int], ...],
    value: bool,
) -> None:
    for row, col in points:
        r, c = row - box[0], col - box[1]
        if 0 <= r < out.shape[0] and 0 <= c < out.shape[1]:
            out[r, c] = value


def _extent(window: BoolArray) -> BBox:
    """Return the bounding box of the true pixels; empty at (0, 0) for none."""
    rows = np.flatnonzero(window.any(axis=1))
    if rows.size == 0:
        return 0, 0, 0, 0
    cols = np.flatnonzero(window.any(axis=0))
    return int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1
