"""The network of the family ``offsets``: is this an object, and where is its center?

An encoder trained on ImageNet, a light decoder, and two heads. What the map and the
instances are made of its answers is in `offset_painting`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_gen2seg.models.networks.efficientnet_lite import (
    CHANNELS,
    EfficientNetLite0,
)

#: Pixels in one unit of the predicted offsets.
UNIT = 16.0

#: Sides of its input must be multiples of this.
MULTIPLE = 32

# As these weights were trained: with ImageNet's usual mean and deviation the classifier
# of the same package is less sure (a cat 0.36 for 0.41, an espresso 0.82 for 0.94).
_MEAN, _DEVIATION = 0.5, 0.5


@dataclass(frozen=True)
class OffsetNetConfig:
    """Channels of the decoder at strides 32 and 16, 8, 4 and 2."""

    channels: tuple[int, int, int, int] = (96, 64, 48, 32)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


class _Up(nn.Module):
    """Twice the size, joined with the encoder's features, and a convolution or two."""

    def __init__(self, inputs: int, skip: int, outputs: int, twice: bool) -> None:
        super().__init__()
        self.skip = nn.Conv2d(skip, inputs, 1)
        layers: list[nn.Module] = []
        for _ in range(2 if twice else 1):
            layers += [
                nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                nn.GroupNorm(8, outputs),
                nn.SiLU(),
            ]
            inputs = outputs
        self.layers = nn.Sequential(*layers)

    def forward(self, low: Tensor, skip: Tensor) -> Tensor:
        size = skip.shape[-2:]
        up = F.interpolate(low, size=size, mode="bilinear", align_corners=False)
        out: Tensor = self.layers(up + self.skip(skip))
        return out


class OffsetNet(nn.Module):
    """Object logit and offset to the object's center, for every pixel.

    Parameters
    ----------
    config
        Its size.
    """

    def __init__(self, config: OffsetNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or OffsetNetConfig()
        deep, eighth, quarter, half = self.config.channels
        self.encoder = EfficientNetLite0()
        self.top = nn.Conv2d(CHANNELS[4], deep, 1)
        self.up16 = _Up(deep, CHANNELS[3], deep, twice=False)
        self.up8 = _Up(deep, CHANNELS[2], eighth, twice=True)
        self.up4 = _Up(eighth, CHANNELS[1], quarter, twice=False)
        # The image itself, a pixel's four quarters as channels: edges to the pixel.
        self.up2 = _Up(quarter, CHANNELS[0] + 12, half, twice=True)
        self.head = nn.Conv2d(half, 12, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Look at images.

        Parameters
        ----------
        pixels
            (B, 3, H, W), 0..1; sides multiples of 32.

        Returns
        -------
        Tensor
            (B, 3, H, W): object logit, and the center's row and column relative to
            the pixel's own, in units of 16 pixels.
        """
        _, out, half, normal = self._decoded(pixels)
        out = self.up2(out, torch.cat([half, F.pixel_unshuffle(normal, 2)], 1))
        return F.pixel_shuffle(self.head(out), 2)

    def features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return what its answers are made of, for who looks at small parts of images.

        Parameters
        ----------
        pixels
            As for `forward`.

        Returns
        -------
        tuple
            (B, 64, H / 8, W / 8) and (B, 48, H / 4, W / 4), by the usual channels.
        """
        return self._decoded(pixels)[:2]

    def _decoded(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return features at strides 8 and 4, the encoder's at 2, and its input."""
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        normal = (pixels - _MEAN) / _DEVIATION
        half, quarter, eighth, sixteenth, deep = self.encoder(normal)
        out = self.up16(self.top(deep), sixteenth)
        coarse = self.up8(out, eighth)
        fine = self.up4(coarse, quarter)
        return coarse, fine, half, normal

    def frozen(self) -> list[nn.Module]:
        """Return the early part of the encoder, which training leaves as it is.

        Edges and blobs are the same in every image, and without these high-resolution
        layers a backward pass takes half the time.
        """
        return [self.encoder.stem, *self.encoder.stages[:2]]
