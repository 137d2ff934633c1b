"""From offsets to the coloring map: no weights here.

Every pixel points to the center of its object. Following the pointers a few times
brings the pixels of one object to one end point; the color is that *place*, written as
waves (Kulikov and Lempitsky 2020, arXiv 2001.09215), so it is flat inside an object and
another one next door. What becomes instances of them is in `offset_instances`.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.models.networks.offset_net import UNIT

_STEPS = 4  # times that a pointer is followed
_PACE = 0.7  # share of the way that each step takes
_LOW, _HIGH = 60.0, 255.0  # of the waves


def end_points(
    offsets: Tensor, logit: Tensor, steps: int = _STEPS, pace: float = _PACE
) -> Tensor:
    """Follow the offsets.

    Where the way leads over background (a ring, a crescent), nothing is to be read on
    it, and a pixel's own offset is believed.

    Parameters
    ----------
    offsets
        (B, 2, H, W), rows and columns, in units of 16 pixels.
    logit
        (B, 1, H, W), of being an object.
    steps, pace
        How often, and which share of the offset at a time.

    Returns
    -------
    Tensor
        (B, 2, H, W), row and column of each pixel's end point, in pixels.
    """
    _, _, height, width = offsets.shape
    move = offsets.float() * UNIT
    rows = torch.arange(height, device=offsets.device, dtype=torch.float32)
    columns = torch.arange(width, device=offsets.device, dtype=torch.float32)
    start = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))[None]
    told = start + move
    place = start + pace * move
    field = torch.cat([move, (logit.float() > 0).float()], 1)
    size = torch.tensor([width, height], device=offsets.device, dtype=torch.float32)
    for _ in range(steps):
        grid = (place.flip(1).permute(0, 2, 3, 1) + 0.5) * 2 / size - 1
        there = F.grid_sample(
            field, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        inside = there[:, 2:]
        # Half outside, half of an offset is read: the share is divided out.
        step = torch.where(
            inside > 0.5, pace * there[:, :2] / inside.clamp(min=0.5), told - place
        )
        place = place + step
    return place


def paint_waves(
    ends: Tensor, logit: Tensor, wavelength: float, directions: int = 3
) -> Tensor:
    """Paint each pixel in the color of its end point; background is black.

    Parameters
    ----------
    ends
        (B, 2, H, W), from `end_points`, in pixels.
    logit
        (B, 1, H, W), of being an object.
    wavelength
        Of the waves, in pixels.
    directions
        As many channels, each a wave along a direction of its own.

    Returns
    -------
    Tensor
        (B, directions, H, W), 0..255.
    """
    angle = torch.arange(directions, device=ends.device) * (math.pi / directions)
    along = ends[:, :1] * angle.sin().view(1, -1, 1, 1) + ends[
        :, 1:
    ] * angle.cos().view(1, -1, 1, 1)
    wave = torch.sin(2 * math.pi * along / wavelength) * 0.5 + 0.5
    return (_LOW + (_HIGH - _LOW) * wave) * torch.sigmoid(logit.float())
