"""The loss of the family ``offsets``: object or not, and where the center is.

It stands beside its network, and not with the losses of colors, because fine-tuning
finds it in the family's record.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.common.types import Float32Array, Int32Array
from napari_gen2seg.models.networks.offset_net import UNIT


def object_centers(labels: Int32Array) -> tuple[Float32Array, Float32Array]:
    """Return where each pixel's object has its center, and how large the object is.

    The center is the mean of the object's pixels, or the pixel of it nearest to the
    mean where that lies outside (rings, crescents).

    Parameters
    ----------
    labels
        Integer (H, W); 0 background, -1 unknown.

    Returns
    -------
    tuple
        float32 (2, H, W), offset to the center in units of 16 pixels, 0 outside; and
        float32 (H, W), the object's area in pixels, 0 outside.
    """
    offsets = np.zeros((2, *labels.shape), np.float32)
    area = np.zeros(labels.shape, np.float32)
    rows, columns = np.nonzero(labels > 0)
    if not len(rows):
        return offsets, area
    _, index = np.unique(labels[rows, columns], return_inverse=True)
    count = np.bincount(index)
    center = np.stack([np.bincount(index, v) / count for v in (rows, columns)])
    at = np.rint(center).astype(np.intp)
    first = np.zeros(len(count), np.intp)
    first[index[::-1]] = np.arange(len(index))[::-1]
    name = labels[rows[first], columns[first]]
    for number in np.flatnonzero(labels[at[0], at[1]] != name):
        mine = np.flatnonzero(index == number)
        apart = (rows[mine] - center[0, number]) ** 2 + (
            columns[mine] - center[1, number]
        ) ** 2
        best = mine[int(apart.argmin())]
        center[:, number] = rows[best], columns[best]
    offsets[0, rows, columns] = (center[0, index] - rows) / UNIT
    offsets[1, rows, columns] = (center[1, index] - columns) / UNIT
    area[rows, columns] = count[index]
    return offsets, area


def targets(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return `object_centers` of a batch (B, H, W), on its device."""
    found = [object_centers(one.numpy().astype(np.int32)) for one in labels.cpu()]
    offsets, areas = (np.stack(part) for part in zip(*found, strict=True))
    device = labels.device
    return torch.from_numpy(offsets).to(device), torch.from_numpy(areas).to(device)


def finetuning_loss(
    answers: Tensor, labels: Tensor, before: Tensor | None = None
) -> Tensor:
    """Return the loss on labels of which a part may be unknown.

    Unknown pixels ask for nothing but that the network say what it said before (Li &
    Hoiem, "Learning without Forgetting", arXiv 1606.09282): objects alone would teach
    it that everything is one.

    Parameters
    ----------
    answers
        (B, 3, H, W): logit and offset.
    labels
        (B, H, W); 0 background, -1 unknown.
    before
        (B, 3, H, W), what it answered before it learnt, or None.
    """
    total, _ = offset_loss(answers, labels, *targets(labels))
    unknown = labels < 0
    if before is not None and bool(unknown.any()):
        old, new = before[:, 0].float(), answers[:, 0].float()
        share = torch.sigmoid(old)
        cost = F.binary_cross_entropy_with_logits(new, share, reduction="none")
        # Without what even the same answer would cost: 0 is "as before".
        cost -= F.binary_cross_entropy_with_logits(old, share, reduction="none")
        apart = F.smooth_l1_loss(
            answers[:, 1:].float(), before[:, 1:].float(), beta=0.1, reduction="none"
        ).sum(1)
        total = total + (cost + share * apart)[unknown].mean()
    return total


def offset_loss(
    prediction: Tensor, labels: Tensor, target: Tensor, area: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy and dice of the logit, and smooth L1 of the offset.

    Small objects weigh more a pixel, so that every object counts.

    Parameters
    ----------
    prediction
        (B, 3, H, W): logit and offset.
    labels
        (B, H, W); 0 background, -1 unknown: nothing is asked there.
    target, area
        (B, 2, H, W) and (B, H, W), from `object_centers`.

    Returns
    -------
    tuple
        The loss, and its parts.
    """
    prediction = prediction.float()
    logit, offset = prediction[:, 0], prediction[:, 1:]
    inside = labels > 0
    known = (labels >= 0).float()
    root = area.clamp(min=1).sqrt()
    weight = torch.where(inside, 1 + 20 / root, torch.ones_like(root)) * known
    goal = inside.float()
    cost = F.binary_cross_entropy_with_logits(logit, goal, reduction="none")
    cross = (cost * weight).sum() / weight.sum().clamp(min=1)
    share = torch.sigmoid(logit) * known
    both = (share * goal).sum((1, 2))
    dice = 1 - (2 * both + 1) / (share.sum((1, 2)) + goal.sum((1, 2)) + 1)
    pull = torch.where(inside, 1 / root + 0.01, torch.zeros_like(root))
    apart = F.smooth_l1_loss(offset, target, beta=0.1, reduction="none").sum(1)
    place = (apart * pull).sum() / pull.sum().clamp(min=1e-3)
    loss = cross + 0.5 * dice.mean() + 3 * place
    parts = {
        "object": float(cross.detach()),
        "dice": float(dice.detach().mean()),
        "offset": float(place.detach()),
    }
    return loss, parts
