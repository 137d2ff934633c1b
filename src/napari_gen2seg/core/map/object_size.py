"""How large are the objects? Read off a coloring map, or off labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

DARK = 70.0  # colour distance from black below which a pixel is background
_STEP = 40.0  # colour distance to a neighbour that is an edge of the map
_SMALLEST = 9  # map pixels; smaller specks are noise
_UNKNOWN = 32.0  # pixels; where labels hold no object
_RIM = 2.0  # pixels of diameter lost because edges belong to no object


def typical_diameter(values: npt.NDArray[np.float32]) -> float | None:
    """Return the typical diameter of the objects of a map.

    Objects are the flat parts of the map that are not black. Their median is weighted
    by diameter, so that specks do not outvote what a person would call the objects.

    Parameters
    ----------
    values
        float32 (h, w, 3), 0..255, of a model that paints the background black.

    Returns
    -------
    float or None
        Equivalent diameter in pixels of the map; None where nothing stands out.
    """
    flat = np.linalg.norm(values, axis=-1) > DARK
    across = np.linalg.norm(np.diff(values, axis=1), axis=-1) > _STEP
    down = np.linalg.norm(np.diff(values, axis=0), axis=-1) > _STEP
    flat[:, :-1] &= ~across
    flat[:, 1:] &= ~across
    flat[:-1] &= ~down
    flat[1:] &= ~down
    labels, count = ndimage.label(flat)
    if count == 0:
        return None
    areas = np.bincount(labels.ravel())[1:].astype(float)
    areas = areas[areas >= _SMALLEST]
    return typical_of(_diameters(areas) + _RIM) if areas.size else None


def typical_size(labels: npt.NDArray[np.integer]) -> float:
    """Return the typical diameter of labeled objects in pixels (32 without objects).

    The median weighted by diameter, as `typical_diameter` reads it off a map.

    Parameters
    ----------
    labels
        (H, W); 0 and below is no object.
    """
    areas = _areas(labels)
    return typical_of(_diameters(areas)) if areas.size else _UNKNOWN


def median_diameter(labels: npt.NDArray[np.integer]) -> float:
    """Return the plain median of the objects' diameters in pixels (32 without objects).

    What mini was trained with: small objects count as much as large ones.
    """
    areas = _areas(labels)
    return float(_diameters(np.median(areas))) if areas.size else _UNKNOWN


def _areas(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    areas = np.bincount(labels[labels > 0].ravel()).astype(float)
    return areas[areas > 0]


def _diameters(areas: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the diameters of discs of such areas."""
    return np.asarray(2 * np.sqrt(np.asarray(areas, float) / np.pi))


def typical_of(diameters: npt.NDArray[np.floating]) -> float:
    """Return the median of diameters weighted by themselves; (n,), n at least 1."""
    rising = np.sort(diameters)
    share = np.cumsum(rising) / rising.sum()
    return float(rising[int(np.searchsorted(share, 0.5))])
