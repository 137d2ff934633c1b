"""The networks that `forward.py` times, ours and the straightforward way.

Random weights cost what trained ones do. Every shape comes twice over the same
modules: as the network this package runs, and as the few lines that a reader of the
paper would write with diffusers or transformers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SHAPES = ("first-mini", "mae-b", "mae-h", "sd-small", "sd-256", "sd-512", "sd-768")
PROMPT_TOKENS = 2  # the empty prompt without padding: begin and end

_SD = ((320, 640, 1280, 1280), (5, 10, 20, 20), 1024, (128, 256, 512, 512))
_SD_SMALL = ((64, 128, 256, 256), (1, 2, 4, 4), 1024, (32, 64, 128, 128))


@dataclass
class Subject:
    """One shape.

    Attributes
    ----------
    net
        The network this package runs, float32 on the CPU.
    straight
        Pictures (B, 3, s, s), range as ``net`` takes them, to raw colours: plain
        modules of diffusers or transformers, one call after the other.
    side
        Of its pictures, in pixels.
    low
        Lower end of the range of pictures (the upper one is 1).
    extra
        Modules that only the straightforward way needs.
    """

    net: Any
    straight: Callable[[Tensor], Tensor]
    side: int
    low: float
    extra: nn.Module | None = None


def build(name: str, folder: Path | None = None, prompt: str = "cached") -> Subject:
    """Build a shape.

    Parameters
    ----------
    name
        One of `SHAPES`.
    folder
        A small model of the family `sd`, such as the first mini.
    prompt
        ``"anew"``: the straightforward way runs the text encoder for every picture.
    """
    torch.manual_seed(0)
    if name == "first-mini":
        from napari_gen2seg.models.families.stable_diffusion import load_net
        from napari_gen2seg.models.model_folder import read_model_folder

        if folder is None:
            raise SystemExit("Say with --mini where the first mini's folder is.")
        net = load_net(read_model_folder(folder))
        return Subject(net, straight_sd(net, None), 512, -1.0)
    if name.startswith("mae"):
        net = mae_net(name)
        return Subject(net, straight_mae(net), 224, 0.0)
    net = sd_net(_SD_SMALL if name == "sd-small" else _SD)
    encoder = text_encoder() if prompt == "anew" else None
    side = 512 if name == "sd-small" else int(name.partition("-")[2])
    return Subject(net, straight_sd(net, encoder), side, -1.0, encoder)


def sd_net(shape: tuple[Any, ...]) -> Any:
    """Build a Stable Diffusion 2 shape with random weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    from napari_gen2seg.models.networks.one_step import OneStepNet

    widths, heads, width, vae_widths = shape
    unet = UNet2DConditionModel(
        sample_size=96,
        block_out_channels=widths,
        attention_head_dim=heads,
        cross_attention_dim=width,
        use_linear_projection=True,
    )
    vae = AutoencoderKL(
        block_out_channels=vae_widths,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=768,
    )
    prompt = torch.randn(1, PROMPT_TOKENS, width)
    return OneStepNet(unet, vae, prompt, scheduler().alphas_cumprod)


def scheduler() -> Any:
    """Return the published noise schedule."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
    )


def text_encoder() -> Any:
    """Build the text encoder of Stable Diffusion 2 with random weights."""
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=23,
        num_attention_heads=16,
        hidden_act="gelu",
    )
    return CLIPTextModel(config).eval()


def mae_net(name: str) -> Any:
    """Build ViT-MAE, B with patch 16 or H with patch 14, with random weights."""
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    from napari_gen2seg.models.families.mae_net import MaeNet

    large = {
        "hidden_size": 1280,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "intermediate_size": 5120,
        "patch_size": 14,
    }
    config = ViTMAEConfig(mask_ratio=0.0, **(large if name == "mae-h" else {}))
    return MaeNet(ViTMAEForPreTraining(config))


def straight_sd(net: Any, encoder: Any) -> Callable[[Tensor], Tensor]:
    """Return the published recipe over a network's own modules.

    Encode, one UNet call at t = 999, the schedule's x0, decode. The prompt is the
    cached embedding, or comes from ``encoder`` for every picture. A model with
    position guides gets them, since its UNet cannot run without.
    """
    unet, vae = net.unet, net.vae
    steps = scheduler()
    steps.set_timesteps(1)
    tokens = torch.tensor([[49406, 49407]])

    def run(pixels: Tensor) -> Tensor:
        text = net.prompt
        if encoder is not None:
            text = encoder(tokens.to(pixels.device))[0]
        scale = vae.config.scaling_factor
        latent = vae.encode(pixels).latent_dist.mode() * scale
        velocity = unet(
            net.guide(latent),
            999,
            encoder_hidden_states=text.expand(len(pixels), -1, -1),
        ).sample
        colors = steps.step(velocity, 999, latent).pred_original_sample
        return vae.decode(colors / scale).sample

    return run


def straight_mae(net: Any) -> Callable[[Tensor], Tensor]:
    """Return the plain call of transformers: random shuffle, un-patchify."""

    def run(pixels: Tensor) -> Tensor:
        logits = net.vit((pixels - net.mean) / net.std).logits
        return net.vit.unpatchify(logits)

    return run
