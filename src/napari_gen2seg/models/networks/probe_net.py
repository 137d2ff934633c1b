"""The network of the learned probe: clicks, image and map in, one object out.

A small U-Net in the manner of click-conditioned segmentation (Xu et al. 2016, arXiv
1603.04042; RITM, arXiv 2102.06583). It can be small because the map has said already
roughly where the object lies, and because it is shown what mini's own network makes of
the window: features that know things, at the size that suits this one object.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_gen2seg.core.learned_probe.inputs import CHANNELS, KEPT

if TYPE_CHECKING:
    from napari_gen2seg.models.networks.offset_net import OffsetNet

_BLINDED = 0.15  # share of features that training hides: they know its images too well
_FACTS = 3  # numbers about the mask itself: blurred, large, at the rim


@dataclass(frozen=True)
class ProbeNetConfig:
    """Size of the network.

    Attributes
    ----------
    channels
        At strides 2, 4, 8 and 16.
    features
        Channels of the features that it is shown, at strides 8 and 4.
    """

    channels: tuple[int, int, int, int] = (24, 48, 96, 128)
    features: tuple[int, int] = (64, 48)

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
        half, quarter, eighth, deep = self.config.channels
        self.down2 = nn.Sequential(_block(4 * CHANNELS, half), _block(half, half))
        self.down4 = nn.Sequential(_block(half, quarter), _block(quarter, quarter))
        self.down8 = nn.Sequential(
            _block(quarter, eighth), _block(eighth, eighth, dilation=2)
        )
        coarse, fine = self.config.features
        self.seen8 = nn.Conv2d(coarse + 2, eighth, 1)
        self.seen4 = nn.Conv2d(fine + 2, quarter, 1)
        # Eight samples across, so that it sees an object of any size from end to end.
        self.down16 = nn.Sequential(_block(eighth, deep), _block(deep, deep, 2))
        self.up8 = nn.Conv2d(deep, eighth, 1, bias=False)
        self.up4 = _block(eighth + quarter, quarter)
        self.up2 = _block(quarter + half, half)
        self.head = nn.Conv2d(half, 4, 3, padding=1)
        self.quality = nn.Sequential(
            nn.Linear(deep + eighth + 2 * half + _FACTS, 64),
            nn.SiLU(),
            nn.Linear(64, 1),
        )
        # At first neither what is seen nor the window as a whole changes anything.
        for layer in (self.seen8, self.seen4, self.up8):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(
        self, channels: Tensor, features: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Look at windows.

        Parameters
        ----------
        channels
            (B, 13, s, s), from `core.learned_probe.inputs.input_channels`; s a multiple
            of 32.
        features
            Of the image in the window, as of `OffsetNet.features`.

        Returns
        -------
        tuple
            Logits (B, s, s), above 0 in the object; and the expected IoU (B,), 0..1, of
            the mask that they make with the whole object, beyond the window too.
        """
        half = self.down2(F.pixel_unshuffle(channels, 2))
        spots = channels[:, KEPT : KEPT + 2]
        coarse, fine = (F.dropout2d(one, _BLINDED, self.training) for one in features)
        quarter = self.down4(F.max_pool2d(half, 2))
        quarter = quarter + self.seen4(_compared(fine, spots))
        eighth = self.down8(F.max_pool2d(quarter, 2))
        eighth = eighth + self.seen8(_compared(coarse, spots))
        deep = self.down16(F.max_pool2d(eighth, 2))
        eighth = eighth + _twice(self.up8(deep))
        out = self.up4(torch.cat([_twice(eighth), quarter], 1))
        out = self.up2(torch.cat([_twice(out), half], 1))
        logits = F.pixel_shuffle(self.head(out), 2)[:, 0]
        # Judging must not change the mask.
        return logits, self._judged(logits.detach(), out.detach(), eighth, deep)

    def _judged(
        self, logits: Tensor, out: Tensor, eighth: Tensor, deep: Tensor
    ) -> Tensor:
        """Return the expected IoU (B,), by what lies under the mask and on its edge."""
        likely = torch.sigmoid(F.avg_pool2d(logits[:, None], 2))
        area = likely.sum((2, 3))
        edge = likely * (1 - likely)
        blur = edge.sum((2, 3))
        rim = torch.cat(
            [likely[..., [0, -1], :].flatten(1), likely[..., [0, -1]].flatten(1)], 1
        )
        seen = [
            deep.mean((2, 3)),
            eighth.mean((2, 3)),
            (out * likely).sum((2, 3)) / area.clamp(min=1.0),
            (out * edge).sum((2, 3)) / blur.clamp(min=1.0),
            blur / area.clamp(min=1.0),
            likely.mean((2, 3)).sqrt(),
            rim.mean(1, keepdim=True),
        ]
        return torch.sigmoid(self.quality(torch.cat(seen, 1)))[:, 0]


class ShownProbe(nn.Module):
    """A probe and the network that shows it features; of channels alone, as `ProbeNet`.

    Parameters
    ----------
    net
        The probe.
    eyes
        The network of a model; never trained here.
    """

    def __init__(self, net: ProbeNet, eyes: OffsetNet) -> None:
        super().__init__()
        self.net = net
        self.eyes = eyes

    def forward(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Look at windows; see `ProbeNet.forward`."""
        with torch.no_grad():
            features = self.eyes.features(channels[:, :3] + 0.5)
        answer: tuple[Tensor, Tensor] = self.net(channels, features)
        return answer


def _compared(features: Tensor, spots: Tensor) -> Tensor:
    """Add how alike features are to those at clicks that keep and that leave out.

    Parameters
    ----------
    features
        (B, C, h, w).
    spots
        (B, 2, s, s), where clicks of each kind lie.

    Returns
    -------
    Tensor
        (B, C + 2, h, w), the last two in -1..1, 0 where there is no such click.
    """
    weights = F.avg_pool2d(spots, spots.shape[-1] // features.shape[-1])
    unit = F.normalize(features, dim=1)
    clicked = torch.einsum("bchw,bkhw->bkc", unit, weights)
    alike = torch.einsum("bchw,bkc->bkhw", unit, F.normalize(clicked, dim=2))
    return torch.cat([features, alike], 1)


def _twice(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
