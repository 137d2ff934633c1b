"""What a colouring carries beside its map: the picture's brightness, where it helps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.core.brightness import as_bytes, mixture, witness
from napari_gen2seg.core.outline import COARSE
from napari_gen2seg.models.facts import ModelFacts
from napari_gen2seg.models.pixels import resized

Floats = NDArray[np.float32]


def beside(
    values: Floats, rgb: Floats, facts: ModelFacts
) -> tuple[Floats | None, NDArray[np.uint8] | None]:
    """Return the brightness that clicks hear, and the one that outlines follow.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255, a map.
    rgb
        float32 (H, W, 3) in 0..1, its picture.
    facts
        Of the model; only one that paints the background black can be agreed with, and
        it may be one that is better off without.

    Returns
    -------
    tuple
        float32 (h, w, 1), or None where brightness does not agree with the map; and
        uint8 (H, W), or None there and where the picture is hardly larger than the map.
    """
    if not facts.on_black or not facts.hears_brightness:
        return None, None
    shape = values.shape[0], values.shape[1]
    small = np.stack([resized(rgb[..., one], shape) for one in range(3)], axis=-1)
    weights = mixture(values, small)
    heard = witness(values, small @ weights)
    if heard is None:
        return None, None
    coarse = rgb.shape[0] >= COARSE * values.shape[0]
    return heard[..., None], as_bytes(rgb @ weights) if coarse else None
