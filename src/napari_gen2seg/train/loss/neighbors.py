"""A coloring loss with a long reach: neighbors must differ, far objects may share.

The paper's separation, ``300 / (1 + d^2)``, is felt within some ten colour units only;
from a start where everything has one hue a small network never leaves it. Here the
pull towards an object's mean and the push between the means of *near* objects are of
one size and the push is linear up to a margin (De Brabandere, Neven & Van Gool, 2017,
arXiv 1708.02551; only neighbours pushed: Chen, Strauch & Merhof, 2019,
arXiv 2004.09821). A thin dark rim where objects touch stops the probe.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.train.loss.segment_sums import Segments, pixels


@dataclass(frozen=True)
class NeighborWeights:
    """How the terms of `neighbor_loss` are weighted. Colors are 0..255.

    Attributes
    ----------
    margin
        Colour distance below which the means of two near objects are pushed apart.
    darkest
        Colour distance from black below which an object's mean is pushed away.
    reach
        Objects with pixels within this many pixels of each other are near.
    far
        Weight of the push between objects that are not near.
    """

    pull: float = 1.0
    push: float = 1.5
    background: float = 1.0
    rim: float = 0.7
    edge: float = 0.5
    margin: float = 120.0
    darkest: float = 150.0
    reach: int = 12
    far: float = 0.1


def touching_boundary(labels: Tensor) -> Tensor:
    """Mark pixels beside (3 x 3) a pixel of another object.

    Parameters
    ----------
    labels
        Integer, shape (B, H, W); 0 background, -1 unknown.

    Returns
    -------
    Tensor
        Bool, shape (B, H, W).
    """
    values = labels[:, None].float()
    # Background and unknown pixels must not count as another object: they take the
    # part of the neutral element of each pooling.
    high = torch.where(values > 0, values, torch.full_like(values, -1e9))
    low = torch.where(values > 0, values, torch.full_like(values, 1e9))
    biggest = F.max_pool2d(high, 3, 1, 1)
    smallest = -F.max_pool2d(-low, 3, 1, 1)
    return ((labels > 0)[:, None] & (biggest != smallest))[:, 0]


def near_pairs(segments: Segments, shape: tuple[int, int], reach: int) -> Tensor:
    """Find the pairs of objects with pixels within ``reach`` of each other.

    Returns
    -------
    Tensor
        int64, shape (2, pairs), rows of ``segments`` with the smaller first.
    """
    height, width = shape
    grid = segments.index.reshape(-1, height, width)
    known = segments.label[grid] > 0
    count = len(segments.size)
    # A table of who meets whom: sorting millions of pixel pairs would take seconds.
    meets = torch.zeros(count, count, dtype=torch.bool, device=grid.device)
    steps = sorted({max(1, reach // 4), max(1, reach // 2), reach})
    for step in steps:
        for dy, dx in ((0, step), (step, 0), (step, step), (step, -step)):
            a, b = _shifted(grid, dy, dx)
            ka, kb = _shifted(known, dy, dx)
            differ = (a != b) & ka & kb
            meets[a[differ], b[differ]] = True
    return torch.nonzero(torch.triu(meets | meets.T, 1)).T


def _shifted(grid: Tensor, dy: int, dx: int) -> tuple[Tensor, Tensor]:
    height, width = grid.shape[-2:]
    rows = slice(0, height - dy), slice(dy, height)
    if dx >= 0:
        columns = slice(0, width - dx), slice(dx, width)
    else:
        columns = slice(-dx, width), slice(0, width + dx)
    return grid[..., rows[0], columns[0]], grid[..., rows[1], columns[1]]


def neighbor_loss(
    prediction: Tensor, labels: Tensor, weights: NeighborWeights | None = None
) -> Tensor:
    """Compute the loss of one batch.

    Parameters
    ----------
    prediction
        Floating point, shape (B, 3, H, W), colours 0..255.
    labels
        Integer, shape (B, H, W): 0 background, -1 unknown (no constraint).
    weights
        See `NeighborWeights`.

    Returns
    -------
    Tensor
        Scalar, about 1 where nothing has been learnt.
    """
    w = weights or NeighborWeights()
    shape = (labels.shape[1], labels.shape[2])
    segments = Segments.of(labels)
    rim = touching_boundary(labels)
    values = pixels(prediction)
    inner = (~rim).reshape(len(labels), -1, 1).to(values.dtype)
    area = segments.sum(inner)
    means = segments.sum(values * inner) / area.clamp(min=1)
    objects = (segments.label > 0) & (area[:, 0] >= 4)
    scale = 1 / w.margin

    total = prediction.new_zeros(())
    if bool(objects.any()):
        spread = (values - means[segments.index]).abs().mean(-1, keepdim=True)
        spread = segments.sum(spread * inner) / area.clamp(min=1)
        # Between one vote per object and one per pixel: large flats stay flat.
        share = area[objects, 0].sqrt()
        total = (
            total
            + w.pull * 3 * scale * (spread[objects, 0] * share).sum() / share.sum()
        )
        dark = F.relu(w.darkest - means[objects].norm(dim=-1)) / w.darkest
        total = total + w.push * dark.square().mean()
        total = total + w.push * _push(means, segments, objects, shape, w)
        total = total + w.edge * _edges(prediction, labels, w)
    behind = labels == 0
    # Colours below black are cut off when a map is made: black may be overshot.
    lightness = prediction.clamp(min=0).mean(1)
    for mask, weight in ((behind, w.background), (rim, w.rim)):
        if bool(mask.any()):
            total = total + weight * 2 * scale * lightness[mask].mean()
    return total


def _push(
    means: Tensor,
    segments: Segments,
    objects: Tensor,
    shape: tuple[int, int],
    w: NeighborWeights,
) -> Tensor:
    pairs = near_pairs(segments, shape, w.reach)
    pairs = pairs[:, objects[pairs[0]] & objects[pairs[1]]]
    total = means.new_zeros(())
    if pairs.shape[1]:
        total = total + _hinge(means[pairs[0]], means[pairs[1]], w.margin).mean()
    if w.far > 0:
        rows = torch.nonzero(objects)[:, 0]
        i, j = torch.triu_indices(len(rows), len(rows), 1, device=rows.device)
        i, j = rows[i], rows[j]
        same = segments.picture[i] == segments.picture[j]
        if bool(same.any()):
            apart = _hinge(means[i[same]], means[j[same]], w.margin)
            total = total + w.far * apart.mean()
    return total


def _hinge(a: Tensor, b: Tensor, margin: float) -> Tensor:
    distance = ((a - b).square().sum(-1) + 1e-6).sqrt()
    return (F.relu(margin - distance) / margin).square()


def _edges(prediction: Tensor, labels: Tensor, w: NeighborWeights) -> Tensor:
    """Keep pixels on the two sides of a border apart, however close they are."""
    total = prediction.new_zeros(())
    count = 0
    for step in (3, 6):
        for dy, dx in ((0, step), (step, 0)):
            a, b = _shifted(labels, dy, dx)
            differ = (a != b) & (a >= 0) & (b >= 0)
            if not bool(differ.any()):
                continue
            p, q = _shifted(prediction.clamp(min=0), dy, dx)
            p, q = p.movedim(1, -1)[differ], q.movedim(1, -1)[differ]
            total = total + _hinge(p, q, w.margin).mean()
            count += 1
    return total / max(count, 1)
