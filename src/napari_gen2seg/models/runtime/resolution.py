"""At which size a model looks at an image, when nobody says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.core.map.object_size import typical_of
from napari_gen2seg.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_gen2seg.models.model_config import ModelConfig

#: Objects within this factor of the size a model likes are left as they are.
TOLERATED = 1.3
#: An "object" larger than this share of the picture is a mass without borders.
MASS = 0.75
#: Longer side in pixels of the first map, where a second may follow.
FIRST_LOOK = 512
#: Objects beyond this factor of the liked size want a look of their own,
FAR = 1.5
#: where they are at least this share of all, weighted by diameter.
SHARE = 0.2
#: Enlarged images are looked at up to this longer side: time grows with its square.
ENLARGED = 1024
#: Pictures are enlarged at most by this factor.
MAGNIFY = 4
#: Beyond this longer side a forward pass is a mistake rather than a wish.
LARGEST = 8192


def choose_resolution(rgb: NDArray[np.float32], config: ModelConfig) -> int:
    """Choose the longer side in pixels at which a model sees an image.

    Parameters
    ----------
    rgb
        float32 (H, W, 3), range 0..1.
    config
        The model's config: its default wins, else its limits bound the rule.

    Returns
    -------
    int
        The model's default; else what brings objects of the size that the model was
        fitted to, to the size it likes; else the picture's own longer side within the
        limits.
    """
    if config.default_resolution is not None:
        return config.default_resolution
    if config.source_diameter is not None and config.object_diameter is not None:
        # A picture much smaller than such an object is no reason to fail.
        diameter = min(config.source_diameter, max(rgb.shape[:2]))
        return resolution_for_objects(diameter, rgb.shape, config)
    native = max(rgb.shape[:2])
    highest = config.max_resolution
    if config.object_diameter is not None:
        # The map tells afterwards whether the picture deserves more.
        highest = min(highest, FIRST_LOOK)
    return int(min(max(native, config.min_resolution), highest))


def refine_resolution(
    resolution: int, diameter: float | None, native: int, config: ModelConfig
) -> int | None:
    """Choose a better size once a first map has told how large the objects are.

    Parameters
    ----------
    resolution
        Longer side in pixels of the first map.
    diameter
        Typical object diameter in pixels of that map, or None.
    native
        Longer side in pixels of the picture.
    config
        The model's config; `object_diameter` is the size it likes.

    Returns
    -------
    int or None
        The longer side at which objects have the size the model likes, within its
        limits and at most `MAGNIFY` times the picture; None where the first map
        will do (objects within `TOLERATED` of that size), nothing was found, or the
        model knows the size of its objects beforehand. Twice the size where all that
        was found is one mass without borders.
    """
    liked = config.object_diameter
    if liked is None or diameter is None or config.source_diameter is not None:
        return None
    if liked / TOLERATED <= diameter <= liked * TOLERATED:
        return None
    # A mass without borders: its objects are too small to be told apart. Look closer.
    wanted = resolution * (2 if diameter > MASS * resolution else liked / diameter)
    highest = min(config.max_resolution, MAGNIFY * native)
    wanted = round(min(max(wanted, config.min_resolution), highest))
    if abs(wanted - resolution) < 0.15 * resolution:
        return None
    return int(wanted)


def first_looks(resolution: int, native: int, config: ModelConfig) -> tuple[int, ...]:
    """Return the sizes at which a family that finds instances looks first.

    At `FIRST_LOOK`, a smaller image enlarged, and at half of it: what falls into pieces
    at the one is whole at the other, which takes a quarter of the time.

    Parameters
    ----------
    resolution
        Longer side in pixels, from `choose_resolution`: the only one where the model
        knows the size of its objects, or has a size of its own.
    native
        Longer side in pixels of the image.
    config
        The model's config.
    """
    told = config.default_resolution, config.source_diameter
    if told != (None, None) or config.object_diameter is None:
        return (resolution,)
    first = min(FIRST_LOOK, config.max_resolution, MAGNIFY * native)
    half = first // 2
    return (first,) if half < config.min_resolution else (first, half)


def further_look(
    looked: Sequence[int],
    diameters: NDArray[np.floating],
    native: int,
    config: ModelConfig,
) -> int | None:
    """Choose a size for the objects that no look has brought near the liked size.

    Parameters
    ----------
    looked
        Longer sides in pixels of the looks so far.
    diameters
        Of what they found together, in pixels of the finest.
    native
        Longer side in pixels of the image.
    config
        The model's config; `object_diameter` is the size it likes.

    Returns
    -------
    int or None
        Longer side in pixels, within the model's limits, and enlarging an image to at
        most `ENLARGED`; None where few objects are far from the liked size, or no size
        that differs from those looked at would help them.
    """
    liked, finest = config.object_diameter, max(looked)
    if liked is None or config.source_diameter is not None or not len(diameters):
        return None
    ratios = np.divide.outer(np.asarray(looked) / finest, liked / diameters)
    best = ratios[np.abs(np.log(ratios)).argmin(axis=0), np.arange(len(diameters))]
    highest = min(config.max_resolution, MAGNIFY * native, max(native, ENLARGED))
    wanted: list[tuple[float, int]] = []
    for far in (best < 1 / FAR, best > FAR):
        share = float(diameters[far].sum() / diameters.sum())
        if share >= SHARE:
            size = finest * liked / typical_of(diameters[far])
            bounded = round(min(max(size, config.min_resolution), highest))
            if all(max(bounded / one, one / bounded) > TOLERATED for one in looked):
                wanted.append((share, bounded))
    return max(wanted)[1] if wanted else None


def resolution_for_objects(
    diameter: float, shape: tuple[int, ...], config: ModelConfig
) -> int:
    """Choose the resolution from the size of a typical object, known to a person.

    Parameters
    ----------
    diameter
        Of a typical object, in pixels of the picture.
    shape
        (H, W, ...) of the picture.
    config
        The model's config; `object_diameter` is the size it likes.

    Returns
    -------
    int
        Longer side in pixels at which objects have that size, within the model's
        limits and at most `MAGNIFY` times the picture.

    Raises
    ------
    SettingsError
        If the diameter is no positive number, or the model does not say which size
        it likes.
    """
    native = max(shape[:2])
    if not 0 < diameter < 10 * native:
        raise SettingsError(
            f"The object diameter is {diameter}; it must be a positive number of "
            "pixels of the picture, no larger than the picture."
        )
    if config.object_diameter is None:
        raise SettingsError(
            "This model does not say which size of objects it likes, so a diameter "
            "cannot choose its resolution; give the resolution itself."
        )
    wanted = native * config.object_diameter / diameter
    highest = min(config.max_resolution, MAGNIFY * native)
    return round(min(max(wanted, config.min_resolution), highest))


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
