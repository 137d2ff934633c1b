"""Sums over instances without a loop: the shared ground of the coloring losses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Segments:
    """The instances of a batch, numbered through.

    Attributes
    ----------
    index : Tensor, int64, shape (B, H*W)
        Row of ``labels`` (and of every per-instance tensor) each pixel belongs to.
    picture : Tensor, int64, shape (N,)
        Which picture of the batch an instance lies in.
    label : Tensor, int64, shape (N,)
        Its value in the label map; 0 is background, -1 unknown.
    size : Tensor, float, shape (N,)
        Its area in pixels.
    """

    index: Tensor
    picture: Tensor
    label: Tensor
    size: Tensor

    @classmethod
    def of(cls, labels: Tensor) -> Segments:
        """Number the instances of integer ``labels`` of shape (B, H, W)."""
        batch = labels.shape[0]
        flat = labels.reshape(batch, -1).long()
        low = int(flat.min())
        span = int(flat.max()) - low + 1
        offset = torch.arange(batch, device=flat.device)[:, None] * span
        names, index = torch.unique(flat - low + offset, return_inverse=True)
        index = index.reshape(batch, -1)
        size = torch.bincount(index.reshape(-1), minlength=len(names)).float()
        return cls(index, names // span, torch.remainder(names, span) + low, size)

    def sum(self, values: Tensor) -> Tensor:
        """Sum ``values`` of shape (B, H*W, C) over each instance: shape (N, C)."""
        out = values.new_zeros(len(self.size), values.shape[-1])
        return out.index_add(
            0, self.index.reshape(-1), values.reshape(-1, values.shape[-1])
        )

    def mean(self, values: Tensor) -> Tensor:
        """Average ``values`` of shape (B, H*W, C) over each instance: shape (N, C)."""
        return self.sum(values) / self.size[:, None].to(values.dtype)


def pixels(prediction: Tensor) -> Tensor:
    """Turn (B, C, H, W) into (B, H*W, C)."""
    return prediction.flatten(2).transpose(1, 2)
