"""The network of the learned probe: clicks, image and map in, one object out.

A small U-Net in the manner of click-conditioned segmentation (Xu et al. 2016, arXiv
1603.04042; RITM, arXiv 2102.06583). It can be small because the map has said already
roughly where the object lies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_gen2seg.core.learned_probe.inputs import CHANNELS


@dataclass(frozen=True)
class ProbeNetConfig:
    """Channels at strides 2, 4 and 8."""

    channels: tuple[int, int, int] = (24, 48, 96)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def _block(inputs: int, outputs: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False),
        nn.GroupNorm(8, outputs),
        nn.SiLU(),
    )


class ProbeNet(nn.Module):
    """Logit of the object for every pixel of a window, and how good that mask is.

    Parameters
    ----------
    config
        Its size.
    """

    def __init__(self, config: ProbeNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or ProbeNetConfig()
        half, quarter, eighth = self.config.channels
        self.down2 = nn.Sequential(_block(4 * CHANNELS, half), _block(half, half))
        self.down4 = nn.Sequential(_block(half, quarter), _block(quarter, quarter))
        # Dilated, so that it sees an object from end to end.
        self.down8 = nn.Sequential(
            _block(quarter, eighth), _block(eighth, eighth, dilation=2)
        )
        self.up4 = _block(eighth + quarter, quarter)
        self.up2 = _block(quarter + half, half)
        self.head = nn.Conv2d(half, 4, 3, padding=1)
        self.quality = nn.Sequential(
            nn.Linear(eighth + half + 1, 32), nn.SiLU(), nn.Linear(32, 1)
        )

    def forward(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Look at windows.

        Parameters
        ----------
        channels
            (B, 13, s, s), from `core.learned_probe.inputs.input_channels`; s a multiple
            of 8.

        Returns
        -------
        tuple
            Logits (B, s, s), above 0 in the object; and the expected IoU (B,), 0..1, of
            the mask that they make.
        """
        half = self.down2(F.pixel_unshuffle(channels, 2))
        quarter = self.down4(F.max_pool2d(half, 2))
        eighth = self.down8(F.max_pool2d(quarter, 2))
        out = self.up4(torch.cat([_twice(eighth), quarter], 1))
        out = self.up2(torch.cat([_twice(out), half], 1))
        logits = F.pixel_shuffle(self.head(out), 2)[:, 0]
        # The mask is judged by what is under it, as a person would; judging must not
        # change it.
        likely = torch.sigmoid(F.avg_pool2d(logits[:, None], 2)).detach()
        area = likely.sum((2, 3)).clamp(min=1.0)
        inside = (out.detach() * likely).sum((2, 3)) / area
        unsure = (likely * (1 - likely)).sum((2, 3)) / area
        seen = torch.cat([eighth.mean((2, 3)), inside, unsure], 1)
        return logits, torch.sigmoid(self.quality(seen))[:, 0]


def _twice(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
