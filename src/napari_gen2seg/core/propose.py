"""Proposals: automatic instance segmentation of a map, without any click.

The interior points of flat, coloured regions of the map, deepest first, are probed
like clicks, automatic tolerance and all, so whatever makes clicks better makes
proposals better. Which points are probed depends on ``tolerance``, ``background`` and
``diameter`` alone; what becomes of the answers is the business of ``candidates``.

Models differ in what a dark colour means. Those trained to paint the background black
never paint an object darker than 60 in each of the three colours: there, whatever is
dimmer is background that shines a little, and much smaller things are specks.

Where the size of a typical object is told, candidates of that size come first, and
what is much larger or smaller is no object: a map that paints cells has nuclei too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.core.candidates import (
    CandidateSet,
    diameter_on_map,
    told_areas,
)
from napari_gen2seg.core.map.object_size import typical_diameter
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.core.probe.sharpen import SharpMap
from napari_gen2seg.core.proposal_settings import SHARE, ProposalSettings

if TYPE_CHECKING:
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.core.probe.prober import Prober

_STRONG = 1.5  # of 1..2: a barrier this high parts one flat region from the next
_NEAR = 5  # map pixels: no two candidates are closer
_BLACK = 40.0  # colour distance from black that any model may leave in the background
_DIM = 100.0  # the same on black; of 400 right proposals on real pictures 1 was dimmer
_DEPTHS = 0.3, 1.7  # of candidates, as shares of the told radius
_LIKELY = 0.8  # the same, of the likeliest: outlines belong to no flat region


def find_candidates(
    prober: Prober,
    settings: ProposalSettings | None = None,
    black_background: bool = False,
    diameter: float | None = None,
) -> CandidateSet:
    """Probe a map wherever an object may be.

    Parameters
    ----------
    prober
        Of the map to look at.
    settings
        ``tolerance``, ``background`` and ``diameter`` count.
    black_background
        Whether the model paints the background black.
    diameter
        Of a typical object in source pixels, where ``settings`` has none.
    """
    settings = settings or ProposalSettings()
    prober.prepare()
    map_ = prober.rule().map
    shape = (int(map_.shape[0]), int(map_.shape[1]))
    scale = np.asarray(prober.source_shape) / shape
    diameter = settings.diameter or diameter
    background = settings.background
    if background is None:
        background = _DIM if black_background else _BLACK
    told, too_large = None, float("inf")
    if diameter:
        told = diameter_on_map(diameter, shape, prober.source_shape)
        most = told_areas(diameter, shape, prober.source_shape)[1]
        too_large = min(SHARE * (shape[0] * shape[1]), most)
    asked = np.zeros(shape, bool)
    probing = ProbeSettings(tolerance=settings.tolerance)
    masks: list[Mask] = []
    points: list[tuple[float, float]] = []
    for row, col in _interior_points(map_, background, told):
        if asked[row, col]:
            continue
        place = (np.asarray((row, col)) + 0.5) * scale - 0.5
        points.append((float(place[0]), float(place[1])))
        mask = prober.probe([points[-1]], settings=probing)
        masks.append(mask)
        if mask.area <= too_large:
            # A refused region is not asked again from each of its other points; but
            # what is too large may have objects of the told size in it.
            r0, c0, r1, c1 = mask.bbox
            asked[r0:r1, c0:c1] |= mask.crop
    specks = black_background and not told
    return CandidateSet(
        tuple(masks),
        np.asarray(points),
        np.asarray([mask.score for mask in masks]),
        np.asarray([_brightness(map_, mask) for mask in masks]),
        shape,
        prober.source_shape,
        background,
        diameter,
        (typical_diameter(prober.values) or 0.0) if specks else 0.0,
        settings=settings,
    )


def _brightness(map_: SharpMap, mask: Mask) -> float:
    """Return the median distance from black of the pixels of a mask."""
    r0, c0, r1, c1 = mask.bbox
    colors = map_.planes[:, r0:r1, c0:c1][:, mask.crop]
    return float(np.median(np.linalg.norm(colors, axis=0)))


def _interior_points(
    map_: SharpMap, background: float, told: float | None
) -> npt.NDArray[np.intp]:
    """Return (n, 2) interior points of flat colored regions, the likeliest first.

    These are the deepest; where a diameter in pixels of the map is told, those about as
    deep as such an object.
    """
    colored = np.einsum("kij,kij->ij", map_.sharp, map_.sharp) > background**2
    flat = colored & (map_.barrier < _STRONG)
    depth = ndimage.distance_transform_edt(np.pad(flat, 1))[1:-1, 1:-1]
    peak = ndimage.maximum_filter(depth, size=2 * (_NEAR // 2) + 1)
    points = np.argwhere((depth == peak) & flat)
    depths = depth[points[:, 0], points[:, 1]]
    if told:
        shares = depths / (told / 2)
        fit = (shares > _DEPTHS[0]) & (shares < _DEPTHS[1])
        points, depths = points[fit], -np.abs(np.log(shares[fit] / _LIKELY))
    return points[np.argsort(-depths, kind="stable")]
