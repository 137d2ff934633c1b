"""Images to tensors and back: resize, pad, unpad, stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_gen2seg.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def to_tensor(rgb: NDArray[np.float32], device: torch.device | str = "cpu") -> Tensor:
    """Turn (h, w, c) in 0..1 into a float32 tensor (1, c, h, w) in 0..1."""
    array = np.ascontiguousarray(rgb, dtype=np.float32)
    if not array.flags.writeable:
        array = array.copy()
    pixels = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        # Page-locked memory is copied by the GPU itself, while the CPU goes on.
        pixels = pixels.pin_memory()
    return pixels.to(device, non_blocking=True).permute(2, 0, 1)[None]


def resized_shape(shape: tuple[int, int], longer_side: int) -> tuple[int, int]:
    """Return the size with the longer side as given, the other rounded down.

    Raises
    ------
    ImageError
        If the shorter side would vanish.
    """
    longest = max(shape)
    height = shape[0] * longer_side // longest
    width = shape[1] * longer_side // longest
    if height == 0 or width == 0:
        raise ImageError(
            f"The picture is {shape[0]} x {shape[1]} pixels; brought to a longer side "
            f"of {longer_side} its shorter side would vanish. Crop it to a less "
            "extreme shape or choose a higher resolution."
        )
    return height, width


def resize(pixels: Tensor, shape: tuple[int, int]) -> Tensor:
    """Resize (B, c, h, w) to ``shape``: bilinear, antialiased when shrinking."""
    if tuple(pixels.shape[-2:]) == tuple(shape):
        return pixels
    return functional.interpolate(pixels, shape, mode="bilinear", antialias=True)


def resized(gray: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return (H, W) as a model sees it: resized to ``shape`` by `resize`."""
    return np.asarray(resize(to_tensor(gray[..., None]), shape)[0, 0].numpy())


def pad(pixels: Tensor, multiple: int) -> Tensor:
    """Pad (B, c, h, w) below and at the right, repeating the last row and column."""
    height, width = pixels.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return pixels
    return functional.pad(pixels, (0, right, 0, below), mode="replicate")


def stretch_published(colors: Tensor) -> Tensor:
    """Stretch each image's prediction (B, 3, h, w) to 0..255 by its own extremes.

    The published rule, over the three channels together: ``q = p + |min p|``, then
    ``q / (|max q| + |min q|)``. Upstream takes the extremes of a whole batch; here
    each picture has its own, so a batch equals its singles.
    """
    raised = colors + colors.amin(dim=(1, 2, 3), keepdim=True).abs()
    span = (
        raised.amax(dim=(1, 2, 3), keepdim=True).abs()
        + raised.amin(dim=(1, 2, 3), keepdim=True).abs()
    )
    return raised / torch.where(span > 0, span, torch.ones_like(span)) * 255.0


def stretch_in_training(colors: Tensor) -> Tensor:
    """Stretch each prediction (B, 3, h, w) to 0..255 as published training does.

    As `stretch_published`, with 1e-5 added to the span rather than a case for a flat
    prediction, through which gradients would not pass.
    """
    raised = colors + colors.amin((1, 2, 3), keepdim=True).abs()
    span = (
        raised.amax((1, 2, 3), keepdim=True).abs()
        + raised.amin((1, 2, 3), keepdim=True).abs()
    )
    return raised / (span + 1e-5) * 255.0


def stretch_fixed(colors: Tensor) -> Tensor:
    """Map -1..1 to 0..255 and clip, for models trained to absolute colors."""
    return ((colors + 1) / 2).clamp(0, 1) * 255.0


def stretch_mae(colors: Tensor) -> Tensor:
    """Stretch and brighten each prediction (B, 3, h, w) of a masked autoencoder.

    ``((p + |min p|) / (|max p| + |min p| + 1e-5)) ** 0.7 * 255``.
    """
    low = colors.amin(dim=(1, 2, 3), keepdim=True).abs()
    high = colors.amax(dim=(1, 2, 3), keepdim=True).abs()
    unit = (colors + low) / (high + low + 1e-5)
    return unit.clamp(min=0) ** 0.7 * 255.0


def to_values(colors: Tensor) -> list[NDArray[np.float32]]:
    """Turn (B, 3, h, w) into B contiguous float32 arrays (h, w, 3) on the CPU."""
    moved = colors.detach().permute(0, 2, 3, 1).float().cpu().numpy()
    return [np.ascontiguousarray(one, dtype=np.float32) for one in moved]
