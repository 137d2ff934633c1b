"""Colours computed from where an object lies: a target that breaks the symmetry.

After Kulikov & Lempitsky, "Instance segmentation of biological images using harmonic
embeddings" (CVPR 2020, arXiv 1904.05257): position waves enter the network, and every
pixel of an object is asked for one value of the waves. Here the wavelength follows the
object's size, so that small and large neighbours alike take clearly different colours.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_gen2seg.train.segments import Segments

_DARKEST, _BRIGHTEST = 60.0, 255.0


def harmonic_target(
    labels: Tensor,
    wavelengths: tuple[float, ...],
    origin: Tensor | None = None,
    diameters: float = 3.0,
) -> Tensor:
    """Paint every object by its centroid.

    Parameters
    ----------
    labels
        Integer, shape (B, H, W); 0 background, -1 unknown.
    wavelengths
        The guides' wavelengths in pixels, ascending, each twice the one before.
    origin
        Shape (B, 2): position (row, column) of the pictures' corners on the guides.
    diameters
        Wavelength in object diameters.

    Returns
    -------
    Tensor
        float32, shape (B, 3, H, W), 0..255: three directions, 60 degrees apart;
        background black.
    """
    batch, height, width = labels.shape
    device = labels.device
    segments = Segments.of(labels)
    rows = torch.arange(height, device=device).float() + 0.5
    columns = torch.arange(width, device=device).float() + 0.5
    grid = torch.stack(
        [
            rows[:, None].expand(height, width),
            columns[None].expand(height, width),
        ],
        -1,
    ).reshape(1, -1, 2)
    centre = segments.mean(grid.expand(batch, -1, -1))
    if origin is not None:
        centre = centre + origin.to(centre)[segments.picture]
    diameter = 2 * (segments.size / math.pi).sqrt()
    waves = torch.tensor(wavelengths, device=device)
    octave = torch.log2(diameter * diameters / waves[0]).clamp(0, len(waves) - 1)
    lower = octave.floor().long().clamp(max=max(len(waves) - 2, 0))
    mix = (octave - lower).clamp(0, 1)[:, None]
    low = _waves(centre, waves[lower])
    high = _waves(centre, waves[(lower + 1).clamp(max=len(waves) - 1)])
    # A mixture of two waves is weaker than either: bring it back to full strength.
    value = ((1 - mix) * low + mix * high) / ((1 - mix) ** 2 + mix**2).sqrt()
    value = value.clamp(-1, 1)
    colour = _DARKEST + (_BRIGHTEST - _DARKEST) * (value + 1) / 2
    colour = torch.where(segments.label[:, None] > 0, colour, 0 * colour)
    return colour[segments.index].transpose(1, 2).reshape(batch, 3, height, width)


def _waves(centre: Tensor, wavelength: Tensor) -> Tensor:
    angles = torch.arange(3, device=centre.device) * math.pi / 3
    along = centre[:, 1:2] * angles.cos() + centre[:, 0:1] * angles.sin()
    return torch.sin(2 * math.pi * along / wavelength[:, None])
