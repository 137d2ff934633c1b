"""From offsets to the coloring map, and to instances: no weights here.

Every pixel points to the center of its object. Following the pointers a few times
brings the pixels of one object to one end point; the color is that *place*, written as
waves (Kulikov and Lempitsky 2020, arXiv 2001.09215), so it is flat inside an object and
another one next door. End points that pile up are instances (Neven et al. 2019, arXiv
1906.11109; Panoptic-DeepLab, arXiv 1911.10194).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from napari_gen2seg.common.types import Float32Array, Int32Array
from napari_gen2seg.models.networks.offset_net import UNIT

_STEPS = 4  # times that a pointer is followed
_PACE = 0.7  # share of the way that each step takes
_LOW, _HIGH = 60.0, 255.0  # of the waves
_SMOOTHING = 1.5  # px, of the votes
_NEAR = 3  # px within which the highest vote is a peak


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


@dataclass(frozen=True, eq=False)
class Instances:
    """Instances found without a click.

    Attributes
    ----------
    labels
        int32 (H, W), 0 background.
    scores
        float32 (n,), of labels 1 to n: how sure, 0..1.
    """

    labels: Int32Array
    scores: Float32Array


def find_instances(
    ends: Float32Array, logit: Float32Array, smallest: float = 10.0
) -> Instances:
    """Gather the pixels whose end points pile up in one place.

    Parameters
    ----------
    ends
        float32 (2, H, W), end points in pixels.
    logit
        float32 (H, W), of being an object.
    smallest
        Instances of fewer pixels are left out.
    """
    inside = logit > 0
    shape = logit.shape
    rows, columns = np.nonzero(inside)
    if not len(rows):
        return Instances(np.zeros(shape, np.int32), np.zeros(0, np.float32))
    at = np.rint(ends[:, rows, columns]).astype(np.intp)
    for axis in (0, 1):
        np.clip(at[axis], 0, shape[axis] - 1, out=at[axis])
    votes = np.zeros(shape, np.float32)
    np.add.at(votes, (at[0], at[1]), 1.0)
    votes = ndimage.gaussian_filter(votes, _SMOOTHING)
    peaks = (votes == ndimage.maximum_filter(votes, 2 * _NEAR + 1)) & (
        votes > max(smallest / 25, 0.2)
    )
    if not peaks.any():
        return Instances(np.zeros(shape, np.int32), np.zeros(0, np.float32))
    # The peak nearest to any place; each pixel belongs to that of its end point.
    # A center between two pixels has a peak of equal neighbors: one, not two.
    number, _ = ndimage.label(peaks, np.ones((3, 3)))
    nearest = ndimage.distance_transform_edt(
        ~peaks, return_distances=False, return_indices=True
    )
    of_place = number[nearest[0], nearest[1]]
    labels = np.zeros(shape, np.int32)
    labels[rows, columns] = of_place[at[0], at[1]]
    areas = np.bincount(labels.ravel())
    small = areas < smallest
    small[0] = True
    names = np.zeros(len(areas), np.int32)
    names[~small] = np.arange(1, int((~small).sum()) + 1)
    labels = names[labels]
    sure = 1 / (1 + np.exp(-np.abs(logit)))
    count = np.bincount(labels.ravel())[1:]
    total = np.bincount(labels.ravel(), sure.ravel())[1:]
    return Instances(labels, (total / np.maximum(count, 1)).astype(np.float32))
