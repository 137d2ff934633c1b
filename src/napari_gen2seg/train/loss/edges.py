"""Losses on the shape of a painting, whatever its colors: sharp outside, flat inside.

A click asks a map two things: where does the colour change, and where does it stay?
Squared distance to a target colour says little about either while the network is in
doubt about the colour: it answers with a blur. These two terms ask directly.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_THRESHOLD = 45.0  # mean of the three colours; objects are painted 60..255
_SOFTNESS = 15.0
_STRIDES = (1, 2, 4, 8)


def outline_loss(prediction: Tensor, inside: Tensor, behind: Tensor) -> Tensor:
    """Binary cross-entropy of "is this an object", read off the brightness.

    Parameters
    ----------
    prediction
        Floating point, shape (B, 3, H, W), colours 0..255 (black may be overshot).
    inside, behind
        Bool, shape (B, H, W): pixels of objects, and of the background. Pixels of
        neither are not asked for. Both sides weigh the same.

    Returns
    -------
    Tensor
        Scalar; 0.69 where nothing has been learnt.
    """
    logits = (prediction.mean(1) - _THRESHOLD) / _SOFTNESS
    total = prediction.new_zeros(())
    sides = 0
    for mask, sign in ((inside, -1.0), (behind, 1.0)):
        if bool(mask.any()):
            total = total + F.softplus(sign * logits[mask]).mean()
            sides += 1
    return total / max(sides, 1)


def gradient_loss(prediction: Tensor, target: Tensor, labels: Tensor) -> Tensor:
    """Compare color steps at several distances with those of the target.

    After the multi-scale gradient matching of Li & Snavely, "MegaDepth" (CVPR 2018,
    arXiv 1804.00607). Pairs of pixels of one object, whose colours must not differ,
    and pairs across an outline weigh the same.

    Parameters
    ----------
    prediction
        Floating point, shape (B, 3, H, W), colours 0..255.
    target
        The same, the wanted painting.
    labels
        Integer, shape (B, H, W): 0 background, -1 unknown.

    Returns
    -------
    Tensor
        Scalar, in units of the whole colour range.
    """
    # Colours below black are cut off when a map is made.
    error = (prediction.clamp(min=0) - target) / 255
    total = prediction.new_zeros(())
    for stride in _STRIDES:
        for axis in (-2, -1):
            size = labels.shape[axis] - stride
            if size < 1:
                continue
            one, two = labels.narrow(axis, 0, size), labels.narrow(axis, stride, size)
            step = error.narrow(axis, stride, size) - error.narrow(axis, 0, size)
            cost = step.abs().mean(1)
            known = (one >= 0) & (two >= 0)
            within = known & (one == two) & (one > 0)
            across = known & (one != two)
            for pairs in (within, across):
                weight = pairs.to(cost.dtype)
                total = total + (cost * weight).sum() / weight.sum().clamp(min=1)
    return total / (2 * len(_STRIDES))
