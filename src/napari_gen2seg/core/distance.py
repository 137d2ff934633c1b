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
from napari_gen2seg.core.field import CostField
from napari_gen2seg.core.flood import Box, flood, outgrows
from napari_gen2seg.core.geometry import Shape
from napari_gen2seg.core.mask import Mask
from napari_gen2seg.core.prompts import Prompts
from napari_gen2seg.core.settings import MAX_TOLERANCE, ProbeSettings
from napari_gen2seg.core.sharpen import SharpMap
from napari_gen2seg.core.tolerance import LEVELS, Plateau, choose

_SAMPLES = 128  # samples along a window of the curve
_START = 40  # map pixels around the clicks in the first window
_MARGIN = 4  # map pixels kept around a mask for the clean-up


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
        self._map = SharpMap(values)
        self._source_shape = source_shape

    def prepare(self) -> None:
        """Sharpen the whole map now; else it is done where clicks need it."""
        self._map.ensure((0, 0, *self._map.shape))

    def probe(self, prompts: Prompts, settings: ProbeSettings) -> Mask:
        """Return the object under the clicks."""
        field = self._field(prompts, settings)
        box = field.around(_START)
        confidence = 0.5
        if settings.tolerance is None:
            curve, boxes = self._sweep(field)
            tolerance, confidence = curve.best, curve.confidence
            box = boxes[min(int(np.searchsorted(LEVELS, tolerance)), len(boxes) - 1)]
        else:
            tolerance = min(float(settings.tolerance), MAX_TOLERANCE)
        if not settings.contiguous:
            box = field.whole
        mask, box = self._flood_at(field, tolerance, box, settings)
        if settings.clean:
            mask = self._clean(field, mask, box)
        return Mask.from_window(
            mask,
            (box[0], box[1]),
            prompts.shape,
            self._source_shape,
            score=confidence,
            tolerance=tolerance,
            keep=prompts.forced(1),
            drop=prompts.forced(-1),
        )

    def curve(self, prompts: Prompts, settings: ProbeSettings) -> Curve:
        """Return the area at every tolerance, beyond the chosen one too."""
        return self._sweep(self._field(prompts, settings))[0]

    def _field(self, prompts: Prompts, settings: ProbeSettings) -> CostField:
        return CostField(self._map, prompts, settings)

    def _sweep(self, field: CostField) -> tuple[Curve, list[Box]]:
        """Flood at every level, in a window that grows when it is outgrown."""
        areas: list[float] = []
        boxes: list[Box] = []
        box, step = field.around(_START), 1
        cost, seeds = field.sampled(box, step)
        limit = 0.75 * field.size
        while len(areas) < len(LEVELS):
            region = flood(cost <= LEVELS[len(areas)], seeds)
            if outgrows(region, box, field.frame):
                box = field.grown(box)
                step = max(1, -(-max(box[2] - box[0], box[3] - box[1]) // _SAMPLES))
                cost, seeds = field.sampled(box, step)
                continue
            area = float(np.count_nonzero(region)) * step * step
            areas.append(max(area, areas[-1] if areas else 0.0))
            boxes.append(field.extent(region, box, step))
            if area > limit:
                break
        missing = len(LEVELS) - len(areas)
        areas.extend([areas[-1]] * missing)
        plateau: Plateau = choose(np.asarray(areas), field.size)
        curve = Curve(
            LEVELS,
            np.asarray(areas),
            (plateau.low, plateau.high),
            plateau.best,
            plateau.confidence,
        )
        return curve, boxes

    def _flood_at(
        self, field: CostField, tolerance: float, box: Box, settings: ProbeSettings
    ) -> tuple[npt.NDArray[np.bool_], Box]:
        while True:
            cost, seeds = field.sampled(box, 1)
            inside = cost <= tolerance
            if not settings.contiguous:
                return inside, box
            region = flood(inside, seeds)
            if not outgrows(region, box, field.frame):
                return region, box
            box = field.grown(box)

    def _clean(
        self,
        field: CostField,
        mask: npt.NDArray[np.bool_],
        box: Box,
    ) -> npt.NDArray[np.bool_]:
        distance = field.distance(box)
        mask = follow_edges(mask, field.block(box), distance)
        return fill_pin_holes(mask, field.unwanted_pixels(box))
