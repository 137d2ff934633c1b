"""The product's own rule: colour distance, connected, stopped by edges.

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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.cleanup import fill_pin_holes, follow_edges
from napari_gen2seg.core.field import RIM, CostField, Sample
from napari_gen2seg.core.flood import Box, flood, outgrows, outline
from napari_gen2seg.core.geometry import Shape
from napari_gen2seg.core.mask import Mask
from napari_gen2seg.core.prompts import Prompts
from napari_gen2seg.core.settings import MAX_TOLERANCE, ProbeSettings
from napari_gen2seg.core.sharpen import SharpMap
from napari_gen2seg.core.tolerance import LEVELS, choose, settled

Bools = npt.NDArray[np.bool_]

_SAMPLES = 96  # samples along a window of the curve
_START = 40  # map pixels around the clicks in the first window
_RINGS = 3.0  # growth, in rings around the region, worth asking whether to go on
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
        tolerance = sweep.curve.best
        if settings.tolerance is not None:
            tolerance = min(float(settings.tolerance), MAX_TOLERANCE)
        return self._finish(field, prompts, settings, sweep, tolerance)

    def _finish(
        self,
        field: CostField,
        prompts: Prompts,
        settings: ProbeSettings,
        sweep: _Sweep,
        tolerance: float,
    ) -> Mask:
        """Flood once more at full resolution and clean up."""
        box = sweep.box(tolerance, field.frame)
        mask, box = self._reached(field, tolerance, box, settings.contiguous)
        if settings.clean:
            mask = follow_edges(mask, field.block(box), field.distance(box))
            mask = fill_pin_holes(mask, field.unwanted_pixels(box))
        return self._mask(mask, (box[0], box[1]), prompts, sweep, tolerance)

    def _mask(
        self,
        window: Bools,
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

        What spans more than two windows of samples, such as the background, is not
        worth several frames of waiting while the pointer moves.
        """
        field = CostField(self.map, prompts, settings)
        sweep = self._sweep(field)
        tolerance = sweep.curve.best
        if settings.tolerance is not None:
            tolerance = min(float(settings.tolerance), MAX_TOLERANCE)
        sample, _ = sweep.at(tolerance)
        if sample.step <= 2 or not settings.contiguous:
            return self._finish(field, prompts, settings, sweep, tolerance)
        region = flood(sample.cost <= tolerance, sample.seeds)
        step = sample.step
        r0, c0 = sample.row - step // 2, sample.col - step // 2
        blocks = region.repeat(step, axis=0).repeat(step, axis=1)
        blocks = blocks[max(-r0, 0) :, max(-c0, 0) :]
        r0, c0 = max(r0, 0), max(c0, 0)
        blocks = blocks[: field.frame[0] - r0, : field.frame[1] - c0]
        return self._mask(blocks, (r0, c0), prompts, sweep, tolerance)

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
        seen: list[tuple[Sample, Bools]] = []
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
    ) -> tuple[Bools, Box]:
        """Return the pixels within the tolerance, connected to a click or all."""
        if not contiguous:
            return field.sampled(field.whole).cost <= tolerance, field.whole
        while True:
            sample = field.sampled(box)
            region = flood(sample.cost <= tolerance, sample.seeds)
            if not outgrows(region, box, field.frame, RIM):
                return region, box
            box = field.grown(box)


@dataclass(frozen=True, eq=False)
class _Sweep:
    """What the floods at rising tolerance reached."""

    curve: Curve
    seen: list[tuple[Sample, Bools]]

    def box(self, tolerance: float, frame: Shape) -> Box:
        """Return a window that holds what is reached at a tolerance."""
        sample, region = self.at(tolerance)
        return sample.extent(region, frame)

    def at(self, tolerance: float) -> tuple[Sample, Bools]:
        """Return the costs and the region of the first level that is not below."""
        level = int(np.searchsorted(LEVELS, tolerance))
        return self.seen[min(level, len(self.seen) - 1)]
