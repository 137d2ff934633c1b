"""At which size a model looks at a picture, when nobody says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_gen2seg.models.facts import ModelFacts

#: Beyond this longer side a forward pass is a mistake rather than a wish.
LARGEST = 8192


def choose_resolution(rgb: NDArray[np.float32], facts: ModelFacts) -> int:
    """Choose the longer side in pixels at which a model sees a picture.

    Parameters
    ----------
    rgb
        float32 (H, W, 3), range 0..1.
    facts
        The model's facts: its default wins, else its limits bound the rule.

    Returns
    -------
    int
        The model's default, else the picture's own longer side within the limits.
    """
    if facts.default_resolution is not None:
        return facts.default_resolution
    native = max(rgb.shape[:2])
    return int(min(max(native, facts.min_resolution), facts.max_resolution))


def check_resolution(resolution: int) -> int:
    """Return a person's resolution when it can be used.

    Raises
    ------
    SettingsError
        If it is not a whole number of pixels within 8..8192.
    """
    if int(resolution) != resolution or not 8 <= resolution <= LARGEST:
        raise SettingsError(
            f"The resolution is {resolution}; it must be the longer side in whole "
            f"pixels, from 8 to {LARGEST}."
        )
    return int(resolution)
