"""Colours computed from where an object lies: a target that breaks the symmetry.

After Kulikov & Lempitsky, "Instance segmentation of biological images using harmonic
embeddings" (CVPR 2020, arXiv 1904.05257): position waves enter the network, and every
pixel of an object is asked for the mean of the waves over that object. Averaging what
one is given, inside one's own outline, is something a convolutional net can learn in
minutes; the colours of look-alike neighbours differ from the start.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_gen2seg.train.loss.segment_sums import Segments

DARKEST, BRIGHTEST = 60.0, 255.0
# A wave averaged over an object is weaker than the wave; this brings some of it back.
_GAIN = 1.3


def harmonic_target(
    labels: Tensor, wavelength: float, origin: Tensor | None = None
) -> Tensor:
    """Paint every object by the mean of three position waves over it.

    Parameters
    ----------
    labels
        Integer, shape (B, H, W); 0 background, -1 unknown.
    wavelength
        In pixels; about three diameters of a typical object.
    origin
        Shape (B, 2): position (row, column) of the pictures' corners on the guides.

    Returns
    -------
    Tensor
        float32, shape (B, 3, H, W): one wave direction per colour, 60 degrees apart,
        60..255 inside objects; background and unknown pixels black.
    """
    batch, height, width = labels.shape
    device = labels.device
    segments = Segments.of(labels)
    rows = torch.arange(height, device=device).float()[None, :, None] + 0.5
    columns = torch.arange(width, device=device).float()[None, None] + 0.5
    if origin is not None:
        rows = rows + origin[:, 0, None, None]
        columns = columns + origin[:, 1, None, None]
    angles = torch.arange(3, device=device) * math.pi / 3
    along = columns[..., None] * angles.cos() + rows[..., None] * angles.sin()
    waves = torch.sin(2 * math.pi * along / wavelength).expand(batch, height, width, 3)
    mean = (_GAIN * segments.mean(waves.reshape(batch, -1, 3))).clamp(-1, 1)
    color = DARKEST + (BRIGHTEST - DARKEST) * (mean + 1) / 2
    color = torch.where(segments.label[:, None] > 0, color, 0 * color)
    return color[segments.index].transpose(1, 2).reshape(batch, 3, height, width)
