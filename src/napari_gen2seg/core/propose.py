"""Objects found without any click: the probe asked where objects should be.

Candidates are the innermost points of flat, coloured regions of the map, deepest
first. Each is probed like a click, automatic tolerance and all; what comes back is
kept if it looks like one whole object and is not mostly taken already. So whatever
makes clicks better makes proposals better.

Models differ in what a dark colour means. Those trained to paint the background black
never paint an object darker than 60 in each of the three colours: there, whatever is
dimmer is background that shines a little, and much smaller things are specks.

Where the size of a typical object is told, candidates of that size come first, and
what is much larger or smaller is no object: a map that paints cells has nuclei too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.core.map.object_size import typical_diameter
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.core.probe.sharpen import SharpMap
from napari_gen2seg.errors import SettingsError

if TYPE_CHECKING:
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.core.probe.prober import Prober

_STRONG = 1.5  # of 1..2: a barrier this high parts one flat region from the next
_NEAR = 5  # map pixels: no two candidates are closer
_BLACK = 40.0  # colour distance from black that any model may leave in the background
_DIM = 100.0  # the same on black; of 400 right proposals on real pictures 1 was dimmer
_SPECK = 0.25  # of the typical diameter; of 101 smaller proposals 8 were right
_SCORE = 0.15
# Where the diameter is told. On smears (cells where nuclei are meant) 0.35 leaves out 6
# of 10 proposals and 1 of 7 right ones; on nuclei alone, as good as none.
_SCORE_TOLD = 0.35
_SIZES = 0.35, 2.0  # diameters of objects, as shares of the one told
_DEPTHS = 0.3, 1.7  # of candidates, as shares of the told radius
_LIKELY = 0.8  # the same, of the likeliest: outlines belong to no flat region


@dataclass(frozen=True)
class ProposalSettings:
    """How objects are proposed.

    Attributes
    ----------
    tolerance
        Colour distance as for a click; ``None`` chooses it for every object.
    background
        Colours nearer to black than this are background, 0..441, and so are objects
        of which half the pixels are. ``None`` takes 100 where the model paints the
        background black, else 40.
    min_area
        Smallest object in pixels of the map.
    min_diameter
        Smallest diameter as a share of the typical object's, 0..1; only where the
        model paints the background black.
    max_share
        Largest object as a share of the map, 0..1.
    min_score
        Smallest score of an object, 0..1. ``None`` takes 0.35 where the diameter is
        told, else 0.15.
    diameter
        Of a typical object, in source pixels: objects have 0.35 to 2 times that.
        ``None`` takes what the map was made for, if it was made for a size
        (:attr:`~.coloring.Coloring.diameter`), else any size.
    most
        Most objects to propose.
    """

    tolerance: float | None = None
    background: float | None = None
    min_area: int = 16
    min_diameter: float = _SPECK
    max_share: float = 0.5
    min_score: float | None = None
    diameter: float | None = None
    most: int = 4096

    def __post_init__(self) -> None:
        if self.tolerance is not None and not self.tolerance > 0:
            raise SettingsError(
                f"The tolerance is {self.tolerance}; it must be a colour distance "
                "above 0, or None to have it chosen."
            )
        if self.background is not None and not self.background >= 0:
            raise SettingsError(
                f"The background is {self.background}; it must be a colour distance "
                "from 0 (nothing is background), or None to have it chosen."
            )
        if self.min_area < 1 or self.most < 1:
            raise SettingsError(
                f"min_area is {self.min_area} and most is {self.most}; both must be "
                "at least 1."
            )
        if not 0 < self.max_share <= 1 or not 0 <= (self.min_score or 0) <= 1:
            raise SettingsError(
                f"max_share is {self.max_share} and min_score {self.min_score}; both "
                "must lie in 0..1, the share above 0."
            )
        if self.diameter is not None and not self.diameter > 0:
            raise SettingsError(
                f"The diameter is {self.diameter}; it must be a positive number of "
                "source pixels, or None."
            )
        if not 0 <= self.min_diameter <= 1:
            raise SettingsError(
                f"min_diameter is {self.min_diameter}; it must lie in 0..1, a share of "
                "the typical diameter."
            )


@dataclass(frozen=True, eq=False)
class Proposal:
    """One object found.

    Attributes
    ----------
    point
        (row, column) in source pixels that was probed.
    mask
        The object; see :class:`~napari_gen2seg.core.probe.mask.Mask`.
    """

    point: tuple[float, float]
    mask: Mask


def find_objects(
    prober: Prober, settings: ProposalSettings | None = None, on_black: bool = False
) -> list[Proposal]:
    """Return objects, the innermost points of the largest flat regions first.

    Masks may overlap by up to half of the smaller one.

    Parameters
    ----------
    prober
        Of the map to look at.
    settings
        See :class:`ProposalSettings`.
    on_black
        Whether the model paints the background black.
    """
    settings = settings or ProposalSettings()
    prober.prepare()
    map_ = prober.rule().map
    scale = np.asarray(prober.source_shape) / map_.shape
    told = settings.diameter and settings.diameter / float(np.sqrt(scale.prod()))
    background = settings.background
    if background is None:
        background = _DIM if on_black else _BLACK
    least_score = settings.min_score
    if least_score is None:
        least_score = _SCORE_TOLD if told else _SCORE
    least, most = _areas(prober, settings, told, on_black)
    taken = np.zeros(map_.shape, bool)
    asked = np.zeros(map_.shape, bool)
    probing = ProbeSettings(tolerance=settings.tolerance)
    found: list[Proposal] = []
    for row, col in _candidates(map_, background, told):
        if asked[row, col]:
            continue
        place = (np.asarray((row, col)) + 0.5) * scale - 0.5
        point = (float(place[0]), float(place[1]))
        mask = prober.probe([point], settings=probing)
        r0, c0, r1, c1 = mask.bbox
        if not told or mask.area <= most:
            # A refused region is not asked again from each of its other points; but
            # what is too large may have objects of the told size in it.
            asked[r0:r1, c0:c1] |= mask.crop
        window = taken[r0:r1, c0:c1]
        if (
            least <= mask.area <= most
            and mask.score >= least_score
            and _brightness(map_, mask) > background
            and 2 * np.count_nonzero(mask.crop & ~window) >= mask.area
        ):
            window |= mask.crop
            found.append(Proposal(point, mask))
            if len(found) == settings.most:
                break
    return found


def propose(
    prober: Prober, settings: ProposalSettings | None = None, on_black: bool = False
) -> npt.NDArray[np.int32]:
    """Return labels (H, W) int32 at source size, 0 where nothing was found.

    Where objects overlap the one with the better score wins.
    """
    labels = np.zeros(prober.source_shape, np.int32)
    ranked = sorted(
        enumerate(find_objects(prober, settings, on_black), 1),
        key=lambda item: -item[1].mask.score,
    )
    for label, proposal in ranked:
        crop, (row, col) = proposal.mask.window()
        place = labels[row : row + crop.shape[0], col : col + crop.shape[1]]
        place[crop & (place == 0)] = label
    present = np.unique(labels)
    order = np.zeros(int(present[-1]) + 1, np.int32)
    order[present] = np.arange(len(present)) + (present[0] > 0)
    return order[labels]


def _brightness(map_: SharpMap, mask: Mask) -> float:
    """Return the median distance from black of the pixels of a mask."""
    r0, c0, r1, c1 = mask.bbox
    colors = map_.planes[:, r0:r1, c0:c1][:, mask.crop]
    return float(np.median(np.linalg.norm(colors, axis=0)))


def _areas(
    prober: Prober, settings: ProposalSettings, told: float | None, on_black: bool
) -> tuple[float, float]:
    """Return the least and the largest area of an object, in pixels of the map."""
    least = float(settings.min_area)
    most = settings.max_share * prober.values[..., 0].size
    if told:
        low, high = (pi / 4 * (share * told) ** 2 for share in _SIZES)
        return max(least, low), min(most, high)
    if on_black:
        diameter = settings.min_diameter * (typical_diameter(prober.values) or 0)
        least = max(least, pi / 4 * diameter**2)
    return least, most


def _candidates(
    map_: SharpMap, background: float, told: float | None
) -> npt.NDArray[np.intp]:
    """Return (n, 2) innermost points of flat coloured regions, the likeliest first.

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
