"""How large are the objects? Read off a colouring map, without any click."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

DARK = 70.0  # colour distance from black below which a pixel is background
_STEP = 40.0  # colour distance to a neighbour that is an edge of the map
_SMALLEST = 9  # map pixels; smaller specks are noise
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
    areas = np.sort(areas[areas >= _SMALLEST])
    if areas.size == 0:
        return None
    diameters = 2 * np.sqrt(areas / np.pi) + _RIM
    share = np.cumsum(diameters) / diameters.sum()
    return float(diameters[int(np.searchsorted(share, 0.5))])
