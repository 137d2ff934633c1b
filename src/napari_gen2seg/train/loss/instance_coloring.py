"""The instance coloring loss of gen2seg (ICLR 2026, arXiv 2505.15263), vectorised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.errors import DataError
from napari_gen2seg.train.loss.segment_sums import Segments, pixels

_REPULSION = 300.0
_SEPARATION_WEIGHT = 10.0


def instance_coloring_loss(
    prediction: Tensor,
    labels: Tensor,
    ignore_background: Tensor | Sequence[bool] | None = None,
    separation_weight: float = _SEPARATION_WEIGHT,
) -> Tensor:
    """Compute the paper's loss: flat inside an object, unlike outside, black behind.

    Per picture, with instances ``S_i`` of mean colour ``mu_i`` (background ``S_0``):
    ``L_var`` sums over instances the Huber distance (delta 1) of their pixels to
    ``mu_i`` (background: to black); ``L_sep`` sums over the others
    ``w / sqrt|S_i|`` times the mean over pixels outside ``S_i`` of
    ``300 / (1 + |p - mu_i|^2)``; ``L_mean`` averages ``300 / (1 + |mu_i - mu_j|^2)``
    over pairs. Their sum is divided by the number of instances, then averaged over
    the batch.

    Parameters
    ----------
    prediction
        Floating point, shape (B, 3, H, W), colours 0..255.
    labels
        Integer, shape (B, H, W); 0 is the background.
    ignore_background
        Per picture, whether 0 means "unlabelled" in place of background. Default:
        background everywhere.
    separation_weight
        ``w``: 10 in the released code, which notes 30 for Stable Diffusion 2.

    Returns
    -------
    Tensor
        Scalar, >= 0; 0 where nothing contributed.

    Raises
    ------
    DataError
        If the shapes do not belong together.
    """
    if prediction.ndim != 4 or prediction.shape[1] != 3:
        raise DataError(
            f"The prediction has shape {tuple(prediction.shape)}; it must be "
            "(batch, 3, height, width)."
        )
    batch, _, height, width = prediction.shape
    if labels.shape != (batch, height, width):
        raise DataError(
            f"The labels have shape {tuple(labels.shape)}; they must be "
            f"{(batch, height, width)}, like the prediction."
        )
    if ignore_background is None:
        ignore_background = [False] * batch
    ignored = torch.as_tensor(ignore_background, device=prediction.device).bool()
    terms = [
        _one(
            prediction[b : b + 1],
            labels[b : b + 1],
            bool(ignored[b]),
            separation_weight,
        )
        for b in range(batch)
    ]
    return torch.stack(terms).mean()


def _one(prediction: Tensor, labels: Tensor, ignored: bool, weight: float) -> Tensor:
    values = pixels(prediction)  # (1, P, 3)
    segments = Segments.of(labels)
    background = segments.label == 0
    used = ~background if ignored else torch.ones_like(background)
    count = int(used.sum())
    if count == 0:
        return prediction.sum() * 0.0
    means = segments.mean(values)
    means = torch.where(background[:, None], torch.zeros_like(means), means)

    spread = F.huber_loss(
        values, means[segments.index], reduction="none", delta=1.0
    ).mean(-1, keepdim=True)
    variance = segments.mean(spread)[:, 0][used].sum()

    objects = means[~background]
    if len(objects) == 0:
        return variance / count
    separation = _separation(values[0], objects, segments, ~background, weight)

    centers = means[used]
    pairs = torch.triu_indices(len(centers), len(centers), 1, device=centers.device)
    distance = (centers[pairs[0]] - centers[pairs[1]]).square().sum(-1)
    apart = (_REPULSION / (1 + distance)).mean() if len(distance) else variance * 0.0
    return (variance + separation + apart) / count


def _separation(
    values: Tensor, means: Tensor, segments: Segments, which: Tensor, weight: float
) -> Tensor:
    """Sum over objects of the repulsion of every pixel outside them."""
    repulsion = _REPULSION / (1 + (values[:, None] - means[None]).square().sum(-1))
    row = torch.cumsum(which.long(), 0) - 1
    index = segments.index.reshape(-1)
    mine = which[index]
    inside = repulsion.new_zeros(repulsion.shape[1]).index_add(
        0, row[index[mine]], repulsion[mine, row[index[mine]]]
    )
    size = segments.size[which].to(repulsion.dtype)
    outside = len(values) - size
    mean = (repulsion.sum(0) - inside) / outside.clamp(min=1)
    return torch.where(outside > 0, weight / size.sqrt() * mean, mean * 0).sum()
