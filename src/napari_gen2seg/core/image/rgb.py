"""Any one plane -> exactly the RGB that the model sees.

A model takes RGB in 0..1. Microscopes give 8, 12 or 16 bits, floats of any
range, one channel or seven. An :class:`RgbRecipe` says how one becomes the
other; it is a plain value that can be shown, stored and replayed, so that what
the model saw is never a guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.core.image.checks import check_image, is_constant
from napari_gen2seg.errors import ImageError, SettingsError

_SAMPLES = 1 << 20  # percentiles are taken from at most about this many values

FloatRgb = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RgbRecipe:
    """How the channels of a plane become RGB.

    Parameters
    ----------
    channels
        Which channel feeds red, green and blue; ``None`` in a place leaves that
        colour black. ``None`` altogether: one channel is repeated three times,
        two go to red and green, of three or more the first three are taken.
    low, high
        Percentiles (0..100) that become black and white.
    stretch
        ``"auto"`` leaves 8-bit RGB and float RGB within 0..1 as it is and
        stretches everything else; ``"always"`` and ``"never"`` do what they say
        (``"never"`` scales integers by the range of their type).
    invert
        Swap bright and dark after the stretch.
    limits
        ``(black, white)`` per channel in data units, instead of percentiles:
        the same contrast for every plane of a stack.
    joint
        Whether three channels are one colour picture, stretched alike, rather than
        channels of a microscope, each stretched by itself. ``None`` takes any three
        for a colour picture, and four of 8 bits for RGBA.
    """

    channels: tuple[int | None, int | None, int | None] | None = None
    low: float = 0.1
    high: float = 99.9
    stretch: Literal["auto", "always", "never"] = "auto"
    invert: bool = False
    limits: tuple[tuple[float, float], ...] | None = None
    joint: bool | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 <= self.low < self.high <= 100:
            raise SettingsError(
                f"The percentiles are {self.low} and {self.high}; they must rise "
                "within 0..100, for instance 0.1 and 99.9."
            )
        if self.stretch not in ("auto", "always", "never"):
            raise SettingsError(
                f'stretch is {self.stretch!r}; it must be "auto", "always" or "never".'
            )
        if self.channels is not None:
            if len(self.channels) != 3:
                raise SettingsError(
                    f"channels has {len(self.channels)} entries; it must name three, "
                    "for red, green and blue (None leaves one black)."
                )
            if all(channel is None for channel in self.channels):
                raise SettingsError(
                    "channels leaves red, green and blue all black; name at least one."
                )


def recipe_of(
    channels: Sequence[int | None] | None = None,
    contrast: Sequence[float] | None = None,
    invert: bool = False,
    joint: bool | None = None,
) -> RgbRecipe | None:
    """Return the recipe of what people choose in words; None where nothing is chosen.

    Parameters
    ----------
    channels
        Three, for red, green and blue; None leaves one black.
    contrast
        Two percentiles that become black and white, of 8-bit color too.
    invert, joint
        As in `RgbRecipe`.

    Raises
    ------
    SettingsError
        If they are not three, not two, or outside of what they may be.
    """
    if contrast is None and channels is None and not invert and joint is None:
        return None
    low, high = (0.1, 99.9) if contrast is None else _two(contrast)
    return RgbRecipe(
        None if channels is None else tuple(channels),  # type: ignore[arg-type]
        low,
        high,
        "auto" if contrast is None else "always",
        invert,
        None,
        joint,
    )


def _two(contrast: Sequence[float]) -> tuple[float, float]:
    if len(contrast) != 2:
        raise SettingsError(
            f"contrast is {list(contrast)}; it must be two percentiles, such as 0.1 "
            "and 99.9."
        )
    return float(contrast[0]), float(contrast[1])


def to_rgb(array: Any, recipe: RgbRecipe | None = None) -> FloatRgb:
    """Make the RGB that a model sees.

    Parameters
    ----------
    array
        (H, W) or (H, W, C), bool, integer or float. Four 8-bit channels are
        taken as RGBA (alpha is dropped) unless the recipe names channels.
    recipe
        See :class:`RgbRecipe`; the default suits most pictures.

    Returns
    -------
    numpy.ndarray
        float32 (H, W, 3) in 0..1, C-contiguous. A constant picture becomes an
        even mid grey (see `core.image.checks.is_constant` to warn about it).

    Raises
    ------
    ImageError
        See `core.image.checks.check_image`; also for a channel that does not exist.
    """
    recipe = recipe or RgbRecipe()
    image = check_image(array)
    planes = image[..., None] if image.ndim == 2 else image
    picked = _pick(planes, recipe)
    used = [plane for plane in picked if plane is not None]
    if all(is_constant(plane) for plane in used) and len({p.flat[0] for p in used}) < 2:
        return np.full((*image.shape[:2], 3), 0.5, np.float32)
    joint = _is_true_color(planes, recipe)
    asis = recipe.stretch == "never" or (
        recipe.stretch == "auto" and joint and _is_display_ready(planes)
    )
    shared = None if asis or not joint else _percentiles(planes[..., :3], recipe)
    rgb = np.zeros((*image.shape[:2], 3), np.float32)
    done: dict[int, FloatRgb] = {}
    for place, plane in enumerate(picked):
        if plane is None:
            continue
        key = plane.__array_interface__["data"][0]
        if key not in done:
            if recipe.limits is not None:
                limits = recipe.limits[min(len(done), len(recipe.limits) - 1)]
            elif asis:
                limits = _type_range(plane.dtype)
            else:
                limits = shared or _percentiles(plane, recipe)
            done[key] = _scale(plane, limits)
        rgb[..., place] = done[key]
    if recipe.invert:
        for place, plane in enumerate(picked):
            if plane is not None:
                rgb[..., place] = 1.0 - rgb[..., place]
    return rgb


def fixed_contrast(sample: Any, recipe: RgbRecipe | None = None) -> RgbRecipe:
    """Return a recipe that shows every window of a plane with the same contrast.

    Parameters
    ----------
    sample
        (H, W) or (H, W, C): the plane, or parts of it side by side.
    recipe
        What the plane is to be shown by; its percentiles are read off the sample.

    Returns
    -------
    RgbRecipe
        Like `recipe`, with ``limits``: `to_rgb` of a window is then what it would be as
        a window of the plane's RGB.

    Raises
    ------
    ImageError
        As `to_rgb`.
    """
    recipe = recipe or RgbRecipe()
    if recipe.limits is not None:
        return recipe
    image = check_image(sample)
    planes = image[..., None] if image.ndim == 2 else image
    joint = _is_true_color(planes, recipe)
    asis = recipe.stretch == "never" or (
        recipe.stretch == "auto" and joint and _is_display_ready(planes)
    )
    if asis:
        return replace(recipe, limits=(_type_range(planes.dtype),))
    if joint:
        return replace(recipe, limits=(_percentiles(planes[..., :3], recipe),))
    seen: dict[int, tuple[float, float]] = {}
    for plane in _pick(planes, recipe):
        if plane is not None:
            key = plane.__array_interface__["data"][0]
            seen.setdefault(key, _percentiles(plane, recipe))
    return replace(recipe, limits=tuple(seen.values()))


def to_uint8(rgb: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Round RGB in 0..1 to 8 bits, for display."""
    return np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), np.uint8)


def thumbnail(
    array: Any, recipe: RgbRecipe | None = None, size: int = 160
) -> npt.NDArray[np.uint8]:
    """Make a small uint8 RGB of exactly what the model sees.

    Averages blocks of whole pixels until the longer side is at most ``size``.
    """
    rgb = to_rgb(array, recipe)
    step = max(1, -(-max(rgb.shape[:2]) // size))
    rows, cols = (max(1, n // step) for n in rgb.shape[:2])
    if step == 1:
        return to_uint8(rgb)
    cut = rgb[: rows * step, : cols * step]
    if cut.shape[0] < rows * step or cut.shape[1] < cols * step:
        return to_uint8(rgb[::step, ::step])
    return to_uint8(cut.reshape(rows, step, cols, step, 3).mean(axis=(1, 3)))


def rgb_key(rgb: npt.NDArray[Any]) -> str:
    """Name the RGB by its content: 32 hexadecimal digits."""
    digest = hashlib.sha256(repr((rgb.shape, rgb.dtype.str)).encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()[:32]


def _pick(planes: npt.NDArray[Any], recipe: RgbRecipe) -> list[npt.NDArray[Any] | None]:
    count = planes.shape[2]
    wanted: tuple[int | None, ...]
    if recipe.channels is not None:
        wanted = recipe.channels
    elif count == 1:
        wanted = (0, 0, 0)
    elif count == 2:
        wanted = (0, 1, None)
    else:
        wanted = (0, 1, 2)
    for channel in wanted:
        if channel is not None and not 0 <= channel < count:
            raise ImageError(
                f"The recipe asks for channel {channel}; the picture has {count} "
                f"(0 to {count - 1}). Choose among those."
            )
    return [None if channel is None else planes[..., channel] for channel in wanted]


def _is_true_color(planes: npt.NDArray[Any], recipe: RgbRecipe) -> bool:
    """Whether the three channels are one color image, to be stretched alike."""
    if recipe.joint is False or recipe.channels not in (None, (0, 1, 2)):
        return False
    return planes.shape[2] == 3 or (
        planes.shape[2] == 4 and planes.dtype == np.uint8 and recipe.channels is None
    )


def _is_display_ready(planes: npt.NDArray[Any]) -> bool:
    if planes.dtype == np.uint8:
        return True
    if planes.dtype.kind == "f":
        return bool(planes.min() >= 0 and planes.max() <= 1)
    return False


def _type_range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return float(max(info.min, 0)), float(info.max)
    return 0.0, 1.0


def _percentiles(values: npt.NDArray[Any], recipe: RgbRecipe) -> tuple[float, float]:
    """Black and white point; the whole range where the percentiles coincide."""
    flat = values.reshape(-1) if values.flags.c_contiguous else values.ravel()
    # A step that shares no factor with usual row lengths avoids sampling columns.
    step = max(1, flat.size // _SAMPLES) | 1
    sample = flat[::step].astype(np.float64)
    low, high = np.percentile(sample, (recipe.low, recipe.high))
    if low >= high:
        low, high = float(values.min()), float(values.max())
    return float(low), float(high)


def _scale(plane: npt.NDArray[Any], limits: tuple[float, float]) -> FloatRgb:
    low, high = limits
    if high <= low:
        return np.full(plane.shape, 0.5, np.float32)
    if plane.dtype == np.uint8:
        table = (np.arange(256, dtype=np.float64) - low) / (high - low)
        return np.asarray(np.clip(table, 0, 1).astype(np.float32)[plane])
    if plane.dtype.itemsize <= 2 or plane.dtype == np.float32:
        scaled = plane.astype(np.float32)
    else:
        scaled = plane.astype(np.float64)
    scaled -= scaled.dtype.type(low)
    scaled /= scaled.dtype.type(high - low)
    return np.clip(scaled, 0, 1).astype(np.float32, copy=False)
