"""Colors computed from where an object lies: a target that breaks the symmetry.

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

from napari_gen2seg.train.loss.neighbors import touching_boundary
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


def harmonic_loss(
    prediction: Tensor,
    labels: Tensor,
    origin: Tensor,
    wavelength: float,
    boundary: float | None = None,
    background: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Return the distance to the target (objects weigh as much as the rest) and it.

    Parameters
    ----------
    prediction
        (B, 3, H, W), 0..255; below 0 counts as black.
    labels
        Integer, (B, H, W); 0 background, -1 unknown, of which nothing is asked.
    origin, wavelength
        As for :func:`harmonic_target`.
    boundary
        Weight of the line where objects touch, which is asked to be black; None asks
        for no such line.
    background
        Weight of the background.

    Returns
    -------
    tuple
        The loss, a scalar, and the target, (B, 3, H, W), black on the boundary.
    """
    target = harmonic_target(labels, wavelength, origin)
    if boundary is None:
        cost = color_distance(prediction, target)
    else:
        line = touching_boundary(labels)
        target = target * ~line[:, None]
        cost = torch.where(line, boundary, 1.0) * color_distance(prediction, target)
    total = prediction.sum() * 0.0
    for mask, weight in ((labels > 0, 1.0), (labels == 0, background)):
        if bool(mask.any()):
            total = total + weight * cost[mask].mean()
    return total, target


def color_distance(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the squared and absolute distance of colors, (B, H, W).

    Absolute distance alone asks for the median, and while the network is in doubt the
    median is black: it would learn colours long after everything else. Colours below
    black are cut off when a map is made, so black may be overshot: then "a wave minus
    much" is black, and no product of wave and outline is needed.
    """
    difference = (prediction - target) / 255
    difference = torch.where(target > 0, difference, difference.clamp(min=0))
    return (4 * difference.square() + 0.5 * difference.abs()).mean(1)
