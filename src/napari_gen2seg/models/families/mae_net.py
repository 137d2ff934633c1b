"""The ``mae`` family's network and colorer; see `mae` for the family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.networks.pretrained import load_part
from napari_gen2seg.models.networks.tensors import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    resize,
    stretch_mae,
)

if TYPE_CHECKING:
    from napari_gen2seg.models.families.family import ModelFolder


class MaeNet(nn.Module):
    """A ViT-MAE as a map from images to colors.

    Parameters
    ----------
    vit
        ``ViTMAEForPreTraining``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, vit: nn.Module) -> None:
        super().__init__()
        self.vit = vit
        cast("Any", vit).config.mask_ratio = 0.0
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    @property
    def image_size(self) -> int:
        """Side in pixels of the square the model was made for."""
        return int(cast("Any", self.vit).config.image_size)

    @property
    def patch_size(self) -> int:
        """Side in pixels of a patch."""
        return int(cast("Any", self.vit).config.patch_size)

    def forward(self, pixels: Tensor) -> Tensor:
        """Predict colors.

        Parameters
        ----------
        pixels
            (B, 3, s, s), range 0..1, s a multiple of `patch_size`.

        Returns
        -------
        Tensor (B, 3, s, s)
            The raw output, neither clipped nor stretched.
        """
        vit = cast("Any", self.vit)
        side = pixels.shape[-1]
        grid = side // self.patch_size
        # The shuffle that masking needs becomes the identity: same result each time.
        order = torch.arange(grid * grid, device=pixels.device, dtype=torch.float32)
        logits = vit(
            (pixels - self.mean) / self.std,
            noise=order.expand(pixels.shape[0], -1),
            interpolate_pos_encoding=side != self.image_size,
        ).logits  # (B, grid * grid, p * p * 3), each patch as (p, q, c)
        patches = logits.view(-1, grid, grid, self.patch_size, self.patch_size, 3)
        colors: Tensor = patches.permute(0, 5, 1, 3, 2, 4).reshape(-1, 3, side, side)
        return colors


class MaeColorer(BaseColorer):
    """A loaded model of the ``mae`` family."""

    def _forward(self, pictures: Tensor, resolution: int) -> Tensor:
        net = cast("MaeNet", self.net)
        # 1. preprocess: a square of whole patches
        side = max(1, round(resolution / net.patch_size)) * net.patch_size
        pixels = resize(pictures, (side, side)).to(self._placed.torch_dtype)
        # 2. predict, 3. stretch and brighten
        return stretch_mae(net(pixels).float())


class MapNet(nn.Module):
    """The way from pixels (1, 3, s, s) in 0..1 to a map in 0..255, to be traced."""

    def __init__(self, net: MaeNet) -> None:
        super().__init__()
        self.net = net
        self.requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the map of one image."""
        return stretch_mae(self.net(pixels))


def load_net(folder: ModelFolder, dtype: str) -> MaeNet:
    """Load a ViT-MAE folder; see `mae.load_net`."""
    from transformers import ViTMAEForPreTraining

    files = folder.weights[""]
    return MaeNet(load_part(ViTMAEForPreTraining, folder.path, files, dtype))
