"""A network that sees objects of some sizes, and only these, in place of a trained one.

Bright, separate things on black are objects. Of about the liked size they are answered
as `offsets` networks answer them; larger ones are a doubtful heap of pieces, and
smaller ones are not seen.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from napari_gen2seg.models.families.offsets_net import OffsetsColorer
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.networks.offset_loss import object_centers
from napari_gen2seg.models.runtime.device import choose
from napari_gen2seg.models.spec import ModelSpec


class KnowingNet(nn.Module):
    """Object logit and offset of what is between ``least`` and ``most`` px wide."""

    def __init__(self, least: float = 20.0, most: float = 120.0) -> None:
        super().__init__()
        self.least, self.most = least, most
        self.value = nn.Parameter(torch.zeros(1))
        self.looks: list[tuple[int, int]] = []

    def forward(self, pixels: Tensor) -> Tensor:
        gray = pixels.mean(1).numpy()
        self.looks.append(gray.shape[1:])
        return torch.from_numpy(np.stack([self.answer(one) for one in gray]))

    def answer(self, gray: np.ndarray) -> np.ndarray:
        labels, _ = ndimage.label(gray > 0.25)
        logit = np.full(gray.shape, -6.0, np.float32)
        told = np.zeros(gray.shape, np.int32)
        for number, box in enumerate(ndimage.find_objects(labels), 1):
            mask = labels[box] == number
            diameter = 2 * np.sqrt(mask.sum() / np.pi)
            if diameter < self.least:
                continue
            names, sure = np.ones(int(mask.sum()), np.int32), 6.0
            if diameter > self.most:
                rows, columns = np.nonzero(mask)
                side = int(self.most / 3)
                pieces = rows // side * 10_000 + columns // side
                _, names = np.unique(pieces, return_inverse=True)
                names, sure = names + 1, 0.4
            told[box][mask] = told.max() + names
            logit[box][mask] = sure
        return np.concatenate([logit[None], object_centers(told)[0]])


def knowing_colorer(net: KnowingNet | None = None) -> OffsetsColorer:
    """Return a colorer of the family offsets with such a network."""
    config = ModelConfig(
        "offsets", min_resolution=128, max_resolution=2048, multiple=32,
        object_diameter=52.0,
    )  # fmt: skip
    spec = ModelSpec("knowing", "offsets", "", "folder", "")
    return OffsetsColorer(net or KnowingNet(), spec, config, choose("cpu", "float32"))


def discs(shape: tuple[int, int], *places: tuple[int, int, int]) -> np.ndarray:
    """Draw discs (row, column, radius): int32 (H, W), numbered from 1."""
    labels = np.zeros(shape, np.int32)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for number, (row, column, radius) in enumerate(places, 1):
        labels[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = number
    return labels
