"""Image, map and clicks as the channels that the learned probe reads.

Training and inference both come here, so that they cannot differ. Nothing in it
depends on who painted the map: colors are compared with the clicked ones, never known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float32Array
from napari_gen2seg.core.learned_probe.window import SIDE, Window

CHANNELS = 13
"""Image (3), map less the first clicked color (3), distance of map and of image to the
nearest kept click (2), kept and left-out clicks (2), distance of the map to the nearest
left-out color (1), on the image or beyond (1), mask before the newest click (1)."""

KEPT = 8
"""The channel of clicks that keep; that of clicks that leave out comes next."""

_SPOT = 3.0  # px of the window, deviation of a click's spot
_COLOR = 128.0  # one unit of color difference
_FAR = 2.0  # units; more is no further away


@dataclass(frozen=True, eq=False)
class Clicks:
    """Clicks on a map, in the order in which they were made.

    Attributes
    ----------
    pixels
        int (n, 2), rows and columns of the map; at least one.
    signs
        n values of +1 (keep) or -1 (leave out), at least one +1.
    """

    pixels: npt.NDArray[np.intp]
    signs: npt.NDArray[np.int8]

    @property
    def kept(self) -> npt.NDArray[np.intp]:
        """(n, 2) pixels that belong to the object."""
        return self.pixels[self.signs > 0]

    @property
    def left_out(self) -> npt.NDArray[np.intp]:
        """(n, 2) pixels that do not."""
        return self.pixels[self.signs < 0]

    def plus(self, pixel: tuple[int, int], sign: int) -> Clicks:
        """Return these clicks and one more."""
        return Clicks(
            np.vstack([self.pixels, np.asarray(pixel, np.intp)[None]]),
            np.append(self.signs, np.int8(sign)),
        )


@dataclass(frozen=True, eq=False)
class View:
    """What a window shows of image and map, whatever is clicked.

    Attributes
    ----------
    window
        The window.
    image
        float32 (3, SIDE, SIDE) in 0..1.
    values
        float32 (3, SIDE, SIDE) in 0..255.
    on_image
        bool (SIDE, SIDE), False beyond the image.
    """

    window: Window
    image: Float32Array
    values: Float32Array
    on_image: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, window: Window, image: npt.NDArray[np.uint8], values: Float32Array
    ) -> View:
        """Look at an image, uint8 (h, w, 3), and its map, float32 (h, w, 3)."""
        return cls(
            window,
            window.cut(image) / np.float32(255),
            window.cut(values),
            window.covers((values.shape[0], values.shape[1])),
        )


def clicked_values(
    frame: npt.NDArray[np.generic], pixels: npt.NDArray[np.intp]
) -> Float32Array:
    """Return the median of 3 x 3 pixels of a frame (h, w, 3) at clicks, (n, 3)."""
    around = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)])
    places = pixels[:, None] + around
    for axis in (0, 1):
        np.clip(places[..., axis], 0, frame.shape[axis] - 1, out=places[..., axis])
    found = frame[places[..., 0], places[..., 1]].astype(np.float32)
    return np.asarray(np.median(found, axis=1), np.float32)


def input_channels(
    view: View,
    clicks: Clicks,
    image: npt.NDArray[np.uint8],
    values: Float32Array,
    before: Float32Array | None = None,
) -> Float32Array:
    """Return what the network reads.

    Parameters
    ----------
    view
        The window on image and map.
    clicks
        All clicks on the object, also those beyond the window.
    image, values
        uint8 and float32 (h, w, 3): image and map, of which clicks take their values.
    before
        float32 (SIDE, SIDE) in 0..1: the probability of the object before the newest
        click, in this window; None at the first click.

    Returns
    -------
    numpy.ndarray
        float32 (`CHANNELS`, SIDE, SIDE), about -2..2.
    """
    out = np.empty((CHANNELS, SIDE, SIDE), np.float32)
    colors = clicked_values(values, clicks.kept)
    shades = clicked_values(image, clicks.kept) / np.float32(255)
    left_out = clicked_values(values, clicks.left_out)
    out[0:3] = view.image - np.float32(0.5)
    out[3:6] = (view.values - colors[0][:, None, None]) / np.float32(_COLOR)
    out[6] = _nearest(view.values, colors, _COLOR)
    out[7] = _nearest(view.image, shades, 0.5)
    out[KEPT] = _spots(view.window.within(clicks.kept))
    out[KEPT + 1] = _spots(view.window.within(clicks.left_out))
    out[10] = _nearest(view.values, left_out, _COLOR)
    out[11] = view.on_image
    out[12] = 0 if before is None else before
    return out


def _nearest(planes: Float32Array, colors: Float32Array, unit: float) -> Float32Array:
    """Return the distance to the nearest of (n, 3) colors, in units, at most `_FAR`."""
    squares = np.full((SIDE, SIDE), (_FAR * unit) ** 2, np.float32)
    for color in colors:
        difference = planes - color[:, None, None]
        square = np.einsum("chw,chw->hw", difference, difference)
        np.minimum(squares, square, out=squares)
    return np.asarray(np.sqrt(squares) / np.float32(unit))


def _spots(places: npt.NDArray[np.float64]) -> Float32Array:
    """Draw a soft spot at each of (n, 2) places of the window."""
    out = np.zeros((SIDE, SIDE), np.float32)
    at = np.arange(SIDE)
    for row, column in places:
        rows, columns = (
            np.exp(-((at - place) ** 2) / (2 * _SPOT**2)).astype(np.float32)
            for place in (row, column)
        )
        np.maximum(out, rows[:, None] * columns, out=out)
    return out
