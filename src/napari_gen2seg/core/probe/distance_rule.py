"""The product's own rule: color distance, connected, stopped by edges.

What a click means, step by step:

1. *Query*: the colours near the click that agree with each other (``query``).
2. *Cost* of a pixel: its colour distance to the nearest positive query, up to
   doubled on strong edges of the map; pixels nearer to a negative query are out.
3. *Tolerance*: floods from the clicks at rising cost give the area as a function
   of the tolerance; the chosen one lies where that curve is flat (``tolerance``).
4. *Mask*: what the clicks reach at that tolerance; pin holes filled, rim moved to
   the middle of the edge (``cleanup``).

Everything happens in a window that grows with the object, coarser for the curve
of large objects, so the cost follows the object and not the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import BoolArray, Shape
from napari_gen2seg.core.probe.cleanup import fill_small_holes, follow_edges
from napari_gen2seg.core.probe.corrections import Pixel, Pixels, Region
from napari_gen2seg.core.probe.cost_field import (
    BOUNDARY_MARGIN,
    CostField,
    Sample,
    nearest_color,
)
from napari_gen2seg.core.probe.flood import Box, flood, outgrows, outline
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.query_color import query_colors
from napari_gen2seg.core.probe.settings import MAX_TOLERANCE, ProbeSettings
from napari_gen2seg.core.probe.sharpen import SharpMap
from napari_gen2seg.core.probe.tolerance import LEVELS, choose, settled

_SAMPLES = 96  # samples along a window of the curve
_START = 40  # map pixels around the clicks in the first window
_RINGS = 3.0  # growth, in rings around the region, worth asking whether to go on
_QUICK = 150_000  # map pixels of a window searched while a pointer moves
_COARSE = 384  # samples along a frame that is searched for like colours
_LIKE = 2.0  # map pixels around a click that leaves out, whose colors are meant
_UNLIKE = 12.0  # color units between two clicks below which both are one object
_MOST = 0.75  # of the frame: no need to look at larger tolerances


@dataclass(frozen=True, eq=False)
class Curve:
    """Area as a function of the tolerance.

    Attributes
    ----------
    tolerances
        (n,) rising colour distances.
    areas
        (n,) map pixels inside the mask at each of them; never falling.
    plateau
        (from, to): the range of tolerances over which the object holds still.
    best
        The tolerance that is chosen automatically.
    confidence
        0..1, how clearly the plateau stands out.
    """

    tolerances: npt.NDArray[np.float64]
    areas: npt.NDArray[np.float64]
    plateau: tuple[float, float]
    best: float
    confidence: float

    def confidence_at(self, tolerance: float) -> float:
        """Return the confidence, less where a tolerance leaves the plateau."""
        low, high = self.plateau
        off = max(
            np.log(low / max(tolerance, 1e-3)), np.log(tolerance / high + 1e-9), 0
        )
        return float(self.confidence * np.exp(-off))


class DistanceRule:
    """Answers clicks on one map; see the module's text.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255.
    source_shape
        (H, W) in pixels of the picture.
    """

    def __init__(self, values: npt.NDArray[np.float32], source_shape: Shape) -> None:
        self.map = SharpMap(values)
        self._source_shape = source_shape

    def prepare(self) -> None:
        """Sharpen the whole map now; else it is done where clicks need it."""
        self.map.ensure((0, 0, *self.map.shape))

    def probe(self, prompts: Prompts, settings: ProbeSettings) -> Mask:
        """Return the object under the clicks."""
        field = CostField(self.map, prompts, settings)
        sweep = self._sweep(field)
        return self._finish(field, prompts, settings, sweep, _asked(settings, sweep))

    def _finish(
        self,
        field: CostField,
        prompts: Prompts,
        settings: ProbeSettings,
        sweep: _Sweep,
        tolerance: float,
    ) -> Mask:
        """Find the region at full resolution and clean up."""
        known = sweep.whole(tolerance, field.frame) if settings.contiguous else None
        if known is None:
            box = sweep.box(tolerance, field.frame)
            known = self._reached(field, tolerance, box, settings.contiguous)
        mask, box = known
        if settings.clean:
            mask = follow_edges(mask, field.block(box), field.distance(box))
            mask = fill_small_holes(mask, field.unwanted_pixels(box))
        return self._mask(mask, (box[0], box[1]), prompts, sweep, tolerance)

    def _mask(
        self,
        window: BoolArray,
        origin: tuple[int, int],
        prompts: Prompts,
        sweep: _Sweep,
        tolerance: float,
    ) -> Mask:
        return Mask.from_window(
            window,
            origin,
            prompts.shape,
            self._source_shape,
            score=sweep.curve.confidence_at(tolerance),
            tolerance=tolerance,
            keep=prompts.forced(1),
            drop=prompts.forced(-1),
        )

    def preview(self, prompts: Prompts, settings: ProbeSettings) -> Mask:
        """Return the object under the clicks, coarser where it is very large.

        What takes several frames to find exactly, such as the background, is not
        worth waiting for while the pointer moves.
        """
        field = CostField(self.map, prompts, settings)
        sweep = self._sweep(field)
        tolerance = _asked(settings, sweep)
        box = sweep.box(tolerance, field.frame) if settings.contiguous else field.whole
        if (box[2] - box[0]) * (box[3] - box[1]) <= _QUICK:
            return self._finish(field, prompts, settings, sweep, tolerance)
        if settings.contiguous:
            sample, _ = sweep.at(tolerance)
            region = flood(sample.cost <= tolerance, sample.seeds)
        else:
            side = max(box[2], box[3])
            sample = field.sampled(box, -(-side // _COARSE))
            region = sample.cost <= tolerance
        blocks, corner = sample.spread(region, field.frame)
        mask = self._mask(blocks, corner, prompts, sweep, tolerance)
        return replace(mask, exact=False)

    def unlike(self, mask: Mask, click: Pixel, kept: Pixels) -> Region | None:
        """Return what of a mask is more like a click than like what is kept.

        Parameters
        ----------
        mask
            Before the click, which is in it.
        click
            Map pixel of a click that leaves out.
        kept
            (n, 2) map pixels of the clicks that keep; without any, the mask's mean
            color is what is kept.

        Returns
        -------
        Region or None
            Within the mask; None where the clicked color is the kept one.
        """
        if not mask.holds(click):
            return None
        box = mask.bbox
        self.map.ensure(box)
        sharp = self.map.sharp[:, box[0] : box[2], box[1] : box[3]]
        lost = query_colors(self.map, np.array([click]), _LIKE)[0]
        if len(kept):
            wanted = query_colors(self.map, kept, _LIKE)
        else:
            wanted = sharp[:, mask.crop].mean(axis=1)[None]
        if np.linalg.norm(wanted - lost, axis=1).min() < _UNLIKE:
            return None
        nearer = nearest_color(sharp, lost[None]) < nearest_color(sharp, wanted)
        return Region(mask.crop & nearer, box)

    def curve(self, prompts: Prompts, settings: ProbeSettings) -> Curve:
        """Return the area at every tolerance, beyond the chosen one too."""
        return self._sweep(CostField(self.map, prompts, settings), whole=True).curve

    def _sweep(self, field: CostField, whole: bool = False) -> _Sweep:
        """Flood at rising levels, in a window that grows when it is outgrown.

        Stops where no further level can be chosen, unless ``whole``.
        """
        noise = field.noise
        areas: list[float] = []
        rims: list[float] = []
        seen: list[tuple[Sample, BoolArray]] = []
        sample = field.sampled(field.around(_START))
        while len(areas) < len(LEVELS):
            region = flood(sample.cost <= LEVELS[len(areas)], sample.seeds)
            if outgrows(region, sample.box, field.frame):
                box = field.grown(sample.box)
                side = max(box[2] - box[0], box[3] - box[1])
                sample = field.sampled(box, max(1, -(-side // _SAMPLES)))
                continue
            area = float(np.count_nonzero(region)) * sample.step**2
            areas.append(max(area, areas[-1] if areas else 0.0))
            rims.append(outline(region) * sample.step)
            seen.append((sample, region))
            if area > _MOST * field.size:
                break
            leaps = len(areas) > 1 and areas[-1] - areas[-2] > _RINGS * rims[-2]
            if (
                leaps
                and not whole
                and settled(np.asarray(areas), np.asarray(rims), noise)
            ):
                break
        plateau = choose(np.asarray(areas), np.asarray(rims), field.size, noise)
        areas.extend([areas[-1]] * (len(LEVELS) - len(areas)))
        curve = Curve(
            LEVELS,
            np.asarray(areas),
            (plateau.low, plateau.high),
            plateau.best,
            plateau.confidence * field.brightness,
        )
        return _Sweep(curve, seen)

    @staticmethod
    def _reached(
        field: CostField, tolerance: float, box: Box, contiguous: bool
    ) -> tuple[BoolArray, Box]:
        """Return the pixels within the tolerance, connected to a click or all."""
        if not contiguous:
            return field.sampled(field.whole).cost <= tolerance, field.whole
        while True:
            sample = field.sampled(box)
            region = flood(sample.cost <= tolerance, sample.seeds)
            if not outgrows(region, box, field.frame, BOUNDARY_MARGIN):
                return region, box
            box = field.grown(box)


def _asked(settings: ProbeSettings, sweep: _Sweep) -> float:
    if settings.tolerance is None:
        return sweep.curve.best
    return min(float(settings.tolerance), MAX_TOLERANCE)


@dataclass(frozen=True, eq=False)
class _Sweep:
    """What the floods at rising tolerance reached."""

    curve: Curve
    seen: list[tuple[Sample, BoolArray]]

    def box(self, tolerance: float, frame: Shape) -> Box:
        """Return a window that holds what is reached at a tolerance."""
        sample, region = self.at(tolerance)
        return sample.extent(region, frame)

    def whole(self, tolerance: float, frame: Shape) -> tuple[BoolArray, Box] | None:
        """Return what is reached at a level, if it was seen pixel by pixel."""
        level = int(np.searchsorted(LEVELS, tolerance))
        if level >= len(self.seen) or LEVELS[level] != tolerance:
            return None
        sample, region = self.seen[level]
        if sample.step > 1:
            return None
        box = sample.extent(region, frame)
        r0, c0 = max(box[0], sample.row), max(box[1], sample.col)
        part = region[r0 - sample.row : box[2] - sample.row]
        part = part[:, c0 - sample.col : box[3] - sample.col]
        mask = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
        r0, c0 = r0 - box[0], c0 - box[1]
        mask[r0 : r0 + part.shape[0], c0 : c0 + part.shape[1]] = part
        return mask, box

    def at(self, tolerance: float) -> tuple[Sample, BoolArray]:
        """Return the costs and the region of the first level that is not below."""
        level = int(np.searchsorted(LEVELS, tolerance))
        return self.seen[min(level, len(self.seen) - 1)]
