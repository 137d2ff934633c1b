"""What a probe answers: one object as a mask with a score.

A mask keeps only its bounding box. The whole frame, at the size of the map or
of the source, is built when somebody asks, so that hovering over a huge picture
costs no more than hovering over a small one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.common.types import BoolArray, Shape
from napari_gen2seg.core.image.geometry import rescale
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
        if self.shape == self.source_shape and not (self.keep or self.drop):
            return self.crop, (self.bbox[0], self.bbox[1])
        size = np.asarray(self.source_shape)
        corners = rescale(
            [[self.bbox[0] - 1, self.bbox[1] - 1], [self.bbox[2], self.bbox[3]]],
            self.shape,
            self.source_shape,
        )
        forced = np.asarray(self.keep or np.zeros((0, 2)), np.intp).reshape(-1, 2)
        low = np.clip(np.floor(corners[0]).astype(np.intp), 0, size - 1)
        high = np.clip(np.ceil(corners[1]).astype(np.intp) + 1, 1, size)
        if len(forced):
            low = np.minimum(low, forced.min(axis=0))
            high = np.maximum(high, forced.max(axis=0) + 1)
        if self.shape == self.source_shape:
            rows, cols = high - low
            out = np.zeros((rows, cols), bool)
            r0, c0 = self.bbox[0] - low[0], self.bbox[1] - low[1]
            out[r0 : r0 + self.crop.shape[0], c0 : c0 + self.crop.shape[1]] = self.crop
        else:
            out = self._enlarged(low, high)
        _force(out, low, self.keep, True)
        _force(out, low, self.drop, False)
        box = _extent(out)
        tight = np.ascontiguousarray(out[box[0] : box[2], box[1] : box[3]])
        return tight, (int(low[0]) + box[0], int(low[1]) + box[1])

    def _enlarged(
        self, low: npt.NDArray[np.intp], high: npt.NDArray[np.intp]
    ) -> BoolArray:
        """Return a window of the mask at the size of the source."""
        radius = round(REACH * self.source_shape[0] / self.shape[0])
        if self.brightness_image is not None:
            # The filter looks, and may move rims, that far.
            low[:] = np.maximum(low - 2 * radius, 0)
            high[:] = np.minimum(high + 2 * radius, self.source_shape)
        soft = resample(
            self.crop.astype(np.float32),
            (self.bbox[0], self.bbox[1]),
            self.shape,
            self.source_shape,
            (int(low[0]), int(low[1]), int(high[0]), int(high[1])),
        )
        if self.brightness_image is None:
            return soft >= np.float32(0.5)
        here = self.brightness_image[low[0] : high[0], low[1] : high[1]]
        return follow_image(soft, here, radius)


def _force(
    out: BoolArray,
    origin: npt.NDArray[np.intp],
    points: tuple[tuple[int, int], ...],
    value: bool,
) -> None:
    for row, col in points:
        r, c = row - int(origin[0]), col - int(origin[1])
        if 0 <= r < out.shape[0] and 0 <= c < out.shape[1]:
            out[r, c] = value


def _extent(window: BoolArray) -> BBox:
    """Return the bounding box of the true pixels; empty at (0, 0) for none."""
    rows = np.flatnonzero(window.any(axis=1))
    if rows.size == 0:
        return 0, 0, 0, 0
    cols = np.flatnonzero(window.any(axis=0))
    return int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1
