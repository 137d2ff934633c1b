"""The objects on which one click went most wrong, as small images."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.common.types import BoolArray
from napari_gen2seg.metrics.click_protocol import answerer, interior_point
from napari_gen2seg.models.probes import chosen_probe
from napari_gen2seg.workflows.evaluate.one_image import Facts

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.io.annotated import Annotated
    from napari_gen2seg.workflows.evaluate.settings import EvaluationSettings

Rgb8 = npt.NDArray[np.uint8]

SIDE = 240
"""Largest side of a picture in pixels."""

_TRUTH, _FOUND = (0, 190, 90), (225, 60, 190)


@dataclass(frozen=True)
class WorstCase:
    """An object on which one click went wrong, to look at.

    Attributes
    ----------
    title
        Image, object, overlap.
    overlap
        IoU of one centre click.
    pictures
        Words and PNG bytes: the image, the map, mask and ground truth.
    """

    title: str
    overlap: float
    pictures: tuple[tuple[str, bytes], ...]


@dataclass
class WorstCases:
    """Keeps the worst objects of the images it is shown, at most two of one.

    Parameters
    ----------
    settings
        ``worst`` says how many.
    """

    settings: EvaluationSettings

    def __post_init__(self) -> None:
        self._kept: list[WorstCase] = []

    def add(
        self,
        facts: Facts,
        rgb: npt.NDArray[np.float32],
        truth: Annotated,
        coloring: Coloring,
    ) -> None:
        """Look at one measured image; ``rgb`` is float (H, W, 3) in 0..1."""
        if not self.settings.worst or not facts.get("clicks"):
            return
        rule = self.settings.rules[0]
        how = replace(self.settings.probe, rule=rule)
        probe = chosen_probe(coloring, self.settings.method)
        objects = sorted(facts["clicks"][rule], key=lambda one: one["centre"])
        for one in objects[:2]:
            full = len(self._kept) >= self.settings.worst
            if full and one["centre"] >= self._kept[-1].overlap:
                break
            mask = truth.mask(one["object"])
            click = interior_point(mask)
            found = answerer(coloring, how, probe)([click], [1])
            self._kept.append(_case(facts, one, rgb, coloring, mask, found, click))
            self._kept.sort(key=lambda case: case.overlap)
            del self._kept[self.settings.worst :]

    def cases(self) -> tuple[WorstCase, ...]:
        """Return what was kept, worst first."""
        return tuple(self._kept)


def png(array: Rgb8) -> bytes:
    """Return an RGB image as the bytes of a PNG file."""
    import imageio.v3 as iio

    stream = io.BytesIO()
    iio.imwrite(stream, array, extension=".png")
    return stream.getvalue()


def _case(
    facts: Facts,
    one: Facts,
    rgb: npt.NDArray[np.float32],
    coloring: Coloring,
    truth: BoolArray,
    found: BoolArray,
    click: tuple[int, int],
) -> WorstCase:
    window = _around(truth, truth.shape)
    picture = (np.clip(rgb[window], 0, 1) * 255).astype(np.uint8)
    rows = (np.arange(truth.shape[0]) + 0.5) * coloring.shape[0] / truth.shape[0]
    cols = (np.arange(truth.shape[1]) + 0.5) * coloring.shape[1] / truth.shape[1]
    near = (
        rows.astype(np.intp)[window[0], None],
        cols.astype(np.intp)[None, window[1]],
    )
    colors = coloring.as_rgb8()[near]
    spot = (click[0] - window[0].start, click[1] - window[1].start)
    step = max(1, -(-max(picture.shape[:2]) // SIDE))
    grow = max(1, SIDE // max(picture.shape[:2]))

    def finish(array: Rgb8) -> bytes:
        small = array[::step, ::step].repeat(grow, 0).repeat(grow, 1)
        return png(np.ascontiguousarray(small))

    views: list[tuple[str, Any]] = [
        ("picture", _dot(picture, spot)),
        ("map", _dot(colors, spot)),
        ("mask", _dot(_painted(picture, found[window], _FOUND), spot)),
        ("truth", _dot(_painted(picture, truth[window], _TRUTH), spot)),
    ]
    return WorstCase(
        f"{facts['name']}, object {one['object']}, {one['area']} px",
        one["centre"],
        tuple((words, finish(view)) for words, view in views),
    )


def _around(mask: BoolArray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return a window about three times as wide as the object."""
    parts = []
    for axis in (0, 1):
        inside = np.flatnonzero(mask.any(axis=1 - axis))
        low, high = int(inside[0]), int(inside[-1]) + 1
        margin = max(high - low, 24)
        parts.append(slice(max(low - margin, 0), min(high + margin, shape[axis])))
    return parts[0], parts[1]


def _painted(picture: Rgb8, mask: BoolArray, color: tuple[int, int, int]) -> Rgb8:
    """Tint a mask and draw its rim."""
    out = picture.astype(np.float32)
    out[mask] = 0.65 * out[mask] + 0.35 * np.asarray(color, np.float32)
    out[mask & ~ndimage.binary_erosion(mask)] = color
    return out.astype(np.uint8)


def _dot(picture: Rgb8, spot: tuple[int, int]) -> Rgb8:
    """Mark the click: black in white."""
    out = picture.copy()
    row, col = spot
    reach = max(1, max(picture.shape[:2]) // SIDE)
    for size, value in ((2 * reach, 255), (reach, 0)):
        out[
            max(row - size, 0) : row + size + 1, max(col - size, 0) : col + size + 1
        ] = value
    return out
