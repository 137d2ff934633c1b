"""Why a candidate may be wrong: numbers to sort by, and words to show.

Scores say how sure the outline is. One more dented than the others' says most: of a
right and a wrong candidate of nuclei or of powder, the wrong one is the more dented in
93 of 100 cases, and has the lower score in 81. A size unlike the others' says that
something was merged or torn, and two flat colors that the map saw two objects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Array, Float64Array
from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.image.geometry import rescale
from napari_gen2seg.core.objects.measure import solidity
from napari_gen2seg.core.probe.mask import BBox

Indices = npt.NDArray[np.intp]

_BAND = 1.5  # typical diameters: height of a row in reading order
_FEW = 5  # objects: of fewer, none has an unusual size
_UNCERTAIN = 0.5  # score of an outline that is half doubtful
_DENTED = 0.08  # of solidity less than usual: half doubtful
_TWICE = 1.75  # of the usual area: half doubtful, where sizes hardly differ,
_FAR = 2.5  # and so many spreads off where they do
_SPREAD = 1.4826  # of a normal distribution's median deviation
WORTH = 0.5  # strength from which a reason is said
_PIXELS = 40  # of the map; smaller objects show no two colors
_SHARE = 0.15  # of an object that the smaller of two colors has at least
# Variance between two colors, of all: of colors that drift; of two flat ones.
_DRIFT, _FLAT = 0.82, 0.95
_APART = 60.0  # color distance between two that are surely two


@dataclass(frozen=True, eq=False)
class CandidateLooks:
    """What is found once of every candidate.

    Attributes
    ----------
    extents
        intp (n, 4), boxes at source size that hold each whole.
    reading
        intp (n,), all candidates in rows to and fro over the image.
    diameters
        float64 (n,), of a disc of its area in source pixels, as ``sizes`` of
        `ProposalSettings` counts.
    solidity
        float64 (n,), 0..1.
    two_colors
        float64 (n,), 0..1, how clearly each has two colors on the map; 0 without one.
    """

    extents: Indices
    reading: Indices
    diameters: Float64Array
    solidity: Float64Array
    two_colors: Float64Array

    @classmethod
    def of(
        cls, candidates: CandidateSet, values: Array | None = None
    ) -> CandidateLooks:
        """Look at candidates, and at the map, float (h, w, 3), if it is given."""
        boxes = np.asarray([mask.bbox for mask in candidates.masks], float)
        corners = boxes.reshape(-1, 2)
        # An outline that follows the image may leave the map's box by a few pixels.
        margin = np.where(np.arange(len(corners)) % 2, 3.0, -4.0)[:, None]
        moved = rescale(corners + margin, candidates.shape, candidates.source_shape)
        extents = np.clip(np.rint(moved), 0, candidates.source_shape).astype(np.intp)
        split = np.zeros(len(candidates))
        if values is not None:
            for index, mask in enumerate(candidates.masks):
                r0, c0, r1, c1 = mask.bbox
                split[index] = _two_colors(values[r0:r1, c0:c1][mask.crop])
        diameters = _diameters(candidates)
        reading = _reading(candidates.points, diameters)
        solid = np.asarray([solidity(mask.crop) for mask in candidates.masks], float)
        return cls(extents.reshape(-1, 4), reading, diameters, solid, split)

    def meeting(self, box: BBox | None) -> list[int]:
        """Return the candidates that may reach into a box; all where there is none."""
        if box is None:
            return list(range(len(self.extents)))
        top, left, bottom, right = self.extents.T
        meet = (top < box[2]) & (box[0] < bottom) & (left < box[3]) & (box[1] < right)
        return [int(index) for index in np.flatnonzero(meet)]


def doubts(
    candidates: CandidateSet, looks: CandidateLooks, shown: Indices
) -> Float64Array:
    """Rate how doubtful candidates are.

    Parameters
    ----------
    candidates, looks
        All of them.
    shown
        intp (m,), those whose sizes are the usual ones.

    Returns
    -------
    numpy.ndarray
        float64 (n,), 0..1: the strongest of the reasons.
    """
    return np.asarray(np.stack(_strengths(candidates, looks, shown)).max(axis=0))


def reasons(
    candidates: CandidateSet, looks: CandidateLooks, shown: Indices, index: int
) -> tuple[str, ...]:
    """Say why one candidate is doubtful, the strongest reason first.

    Parameters
    ----------
    candidates, looks, shown
        As for `doubts`.
    index
        The candidate.

    Returns
    -------
    tuple
        Of words such as "uncertain outline"; empty where nothing is doubtful.
    """
    outline, dents, size, colors = (
        float(strength[index]) for strength in _strengths(candidates, looks, shown)
    )
    ratio = float(_ratios(candidates, shown)[index])
    said = (
        (outline, "uncertain outline"),
        (dents, "dented outline"),
        (size, _size_words(ratio)),
        (colors, "two colors"),
    )
    strong = sorted((pair for pair in said if pair[0] >= WORTH), key=lambda p: -p[0])
    return tuple(words for _, words in strong)


def _strengths(
    candidates: CandidateSet, looks: CandidateLooks, shown: Indices
) -> tuple[Float64Array, ...]:
    """Return how strong each reason is, 0..1, (n,) each."""
    off = np.log(_ratios(candidates, shown))
    dents, spread = np.zeros(len(off)), 0.0
    if len(shown) >= _FEW:
        spread = _SPREAD * float(np.median(np.abs(off[shown])))
        dents = float(np.median(looks.solidity[shown])) - looks.solidity
    far = max(float(np.log(_TWICE)), _FAR * spread)
    size = np.clip(np.abs(off) / far - 0.5, 0, 1)
    outline = np.interp(candidates.scores, (0, _UNCERTAIN, 1), (1, WORTH, 0))
    dents = np.clip(dents * WORTH / _DENTED, 0, 1)
    return outline, dents, size, looks.two_colors


def _ratios(candidates: CandidateSet, shown: Indices) -> Float64Array:
    """Return each area as a multiple of the usual one, (n,)."""
    if len(shown) < _FEW:
        return np.ones(len(candidates))
    usual = float(np.median(candidates.areas[shown]))
    return np.asarray(np.maximum(candidates.areas, 1) / usual)


def _size_words(ratio: float) -> str:
    if ratio >= 2.5:
        return f"{ratio:.0f} times the usual size"
    if ratio >= 1:
        return "twice the usual size"
    return "half the usual size" if ratio > 0.4 else "much smaller than usual"


def _two_colors(colors: Array) -> float:
    """Return how clearly colors, (k, 3), fall into two groups, 0..1."""
    if len(colors) < _PIXELS:
        return 0.0
    centered = colors - colors.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    along = np.sort(centered @ directions[:, -1])
    total = float(np.square(along).mean())
    if total < 1e-9:
        return 0.0
    # Otsu's threshold, with a fair share on both sides.
    count = np.arange(1, len(along))
    sums = np.cumsum(along)[:-1]
    share = count / len(along)
    fair = (share > _SHARE) & (share < 1 - _SHARE)
    # The mean of all is 0, so both sides follow from one.
    between = np.where(fair, sums**2 / (count * (len(along) - count)), 0.0)
    best = int(np.argmax(between))
    apart = float(abs(sums[best])) * (1 / count[best] + 1 / (len(along) - count[best]))
    clear = (float(between[best]) / total - _DRIFT) / (_FLAT - _DRIFT)
    return float(np.clip(clear, 0, 1) * np.clip(apart / _APART, 0, 1))


def _diameters(candidates: CandidateSet) -> Float64Array:
    """Return the diameters of discs of the same areas, in source pixels."""
    scale = np.prod(np.divide(candidates.source_shape, candidates.shape)) ** 0.5
    return np.asarray(2 * np.sqrt(candidates.areas / np.pi) * scale)


def _reading(points: Float64Array, diameters: Float64Array) -> Indices:
    """Return candidates in rows to and fro."""
    if not len(points):
        return np.zeros(0, np.intp)
    height = _BAND * max(float(np.median(diameters)), 1.0)
    rows = np.unique(np.floor(points[:, 0] / height), return_inverse=True)[1]
    ways = np.where(rows % 2, -points[:, 1], points[:, 1])
    return np.lexsort((ways, rows))
