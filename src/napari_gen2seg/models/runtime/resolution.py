"""At which size a model looks at an image, when nobody says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.core.map.object_size import typical_of
from napari_gen2seg.errors import SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_gen2seg.models.model_config import ModelConfig

#: Objects within this factor of the size a model likes are left as they are.
TOLERATED = 1.3
#: An "object" larger than this share of the picture is a mass without borders.
MASS = 0.75
#: Longer side in pixels of the first map, where a second may follow.
FIRST_LOOK = 512
#: Objects larger than the liked size by this factor want a coarser look of their own,
FAR = 2.0
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
        limits, and enlarging an image at most `MAGNIFY` times and to `ENLARGED`; None
        where the first map will do (objects within `TOLERATED` of that size), nothing
        was found, or the model knows the size of its objects beforehand. Twice the size
        where all that was found is one mass without borders.
    """
    liked = config.object_diameter
    if liked is None or diameter is None or config.source_diameter is not None:
        return None
    if liked / TOLERATED <= diameter <= liked * TOLERATED:
        return None
    # A mass without borders: its objects are too small to be told apart. Look closer.
    wanted = resolution * (2 if diameter > MASS * resolution else liked / diameter)
    highest = min(config.max_resolution, MAGNIFY * native, max(native, ENLARGED))
    wanted = round(min(max(wanted, config.min_resolution), highest))
    if abs(wanted - resolution) < 0.15 * resolution:
        return None
    return int(wanted)


def first_look(resolution: int, native: int, config: ModelConfig) -> int:
    """Return the size at which a family that finds instances looks first.

    At `FIRST_LOOK`, to which a smaller image is enlarged: its instances tell what comes
    next.

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
        return resolution
    return min(FIRST_LOOK, config.max_resolution, MAGNIFY * native)


def coarser_look(
    resolution: int, diameters: NDArray[np.floating], config: ModelConfig
) -> int | None:
    """Choose a size for objects much larger than the model likes, if there are many.

    Parameters
    ----------
    resolution
        Longer side in pixels of the best look so far.
    diameters
        Of its instances, in its pixels.
    config
        The model's config; `object_diameter` is the size it likes.

    Returns
    -------
    int or None
        Longer side in pixels, at most 1 / `FAR` of the look's; None where few objects
        are so large, or they fit no size within the model's limits.
    """
    liked = config.object_diameter
    if liked is None or config.source_diameter is not None:
        return None
    large = diameters[diameters > FAR * liked]
    if not large.size or large.sum() < SHARE * diameters.sum():
        return None
    wanted = round(resolution * liked / max(typical_of(large), 1.0))
    wanted = max(wanted, config.min_resolution)
    return wanted if wanted * FAR <= resolution else None


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
