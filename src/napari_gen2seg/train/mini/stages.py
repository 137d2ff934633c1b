"""What each stage of mini's training asks of the network.

(a) ``autoencoder``: reproduce pictures and colour paintings.
(b) ``pretrain``: remove noise from latents of unlabelled pictures (v-prediction).
(c) ``colour``: one step from the picture to its colouring (t = 999, no noise).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.errors import SettingsError
from napari_gen2seg.models.networks.one_step import OneStepNet
from napari_gen2seg.models.networks.shifted_guides import ShiftedGuidesNet
from napari_gen2seg.train.loss.edges import gradient_loss, outline_loss
from napari_gen2seg.train.loss.harmonic import harmonic_loss, harmonic_target
from napari_gen2seg.train.loss.neighbors import (
    NeighborWeights,
    neighbor_loss,
    touching_boundary,
)
from napari_gen2seg.train.loss.weighted import paper_loss
from napari_gen2seg.train.mini.config import StageConfig
from napari_gen2seg.train.mini.dataset import Sample

_WAVELENGTH = 96.0  # px, of networks without guides


def _wavelength(net: OneStepNet) -> float:
    """Return the wavelength to ask for, which is the longest that the network sees."""
    return max(net.guides.wavelengths) if net.guides is not None else _WAVELENGTH


def autoencoder_loss(net: ShiftedGuidesNet, batch: Sample) -> Tensor:
    """L1 and edges of the reconstruction, and a light pull to a unit posterior."""
    pixels, labels = batch["pixels"], batch["labels"]
    paint = harmonic_target(labels.clamp(min=0), _wavelength(net), batch["origin"])
    paint = paint * ~touching_boundary(labels)[:, None] / 127.5 - 1
    pictures = torch.cat([pixels, paint])
    posterior = net.vae.encode(pictures).latent_dist  # type: ignore[operator]
    decoded = net.vae.decode(posterior.sample()).sample  # type: ignore[operator]
    difference = decoded - pictures
    edges = (difference[..., 1:] - difference[..., :-1]).abs().mean() + (
        difference[..., 1:, :] - difference[..., :-1, :]
    ).abs().mean()
    spread: Tensor = posterior.kl().mean() / posterior.mean[0].numel()
    loss: Tensor = difference.abs().mean() + 0.5 * edges + 1e-3 * spread
    return loss


def pretrain_loss(net: ShiftedGuidesNet, batch: Sample) -> Tensor:
    """v-prediction at a random timestep (Salimans & Ho, 2022, arXiv 2202.00512)."""
    with torch.no_grad():
        latent = net.encode(batch["pixels"])
    net.origin = batch["origin"]
    steps = torch.randint(0, 1000, (len(latent),), device=latent.device)
    abar = net.alphas_bar.to(latent.device)[steps].view(-1, 1, 1, 1)
    noise = torch.randn_like(latent)
    noisy = abar.sqrt() * latent + (1 - abar).sqrt() * noise
    wanted = abar.sqrt() * noise - (1 - abar).sqrt() * latent
    return F.mse_loss(net.velocity(noisy, steps), wanted)


def color_loss(
    net: ShiftedGuidesNet, batch: Sample, stage: StageConfig, progress: float
) -> tuple[Tensor, dict[str, float]]:
    """The coloring losses; ``progress`` 0..1 of the stage decides the mixture."""
    labels = batch["labels"]
    net.origin = batch["origin"]
    colors = net(batch["pixels"])
    prediction = (colors + 1) * 127.5
    share = 1.0
    if stage.loss != "harmonic":
        # Alone for the first half of the warm-up, then giving way.
        fade = 2 - 2 * progress / stage.warmup if stage.warmup > 0 else 0.0
        share = min(1.0, max(stage.harmonic_floor, fade))
    total = prediction.new_zeros(())
    parts: dict[str, float] = {}
    if share > 0:
        # First the waves everywhere, then black behind the objects. The other way
        # round, waves are in the way of a black background until objects are known;
        # the network shuts them out and finds no way back.
        background = min(1.0, 0.02 + progress / stage.reveal) if stage.reveal else 1.0
        harmonic, target = harmonic_loss(
            prediction,
            labels,
            batch["origin"],
            _wavelength(net),
            stage.rim or None,
            background,
        )
        parts["harmonic"] = float(harmonic.detach())
        total = total + share * harmonic
        if stage.outline > 0:
            black = (target == 0).all(1) & (labels >= 0)
            outline = outline_loss(prediction, (labels > 0) & ~black, black)
            parts["outline"] = float(outline.detach())
            total = total + stage.outline * background * outline
        if stage.flat > 0:
            steps = gradient_loss(prediction, target, labels)
            parts["steps"] = float(steps.detach())
            total = total + stage.flat * background * steps
    if share < 1:
        if stage.loss == "neighbour":
            main = neighbor_loss(prediction, labels, NeighborWeights(rim=stage.rim))
        elif stage.loss == "paper":
            main = paper_loss(prediction, labels) / 50
        else:
            raise SettingsError(
                f"The coloring loss is {stage.loss!r}; it must be 'neighbour', "
                "'harmonic' or 'paper'."
            )
        parts[stage.loss] = float(main.detach())
        total = total + (1 - share) * main
    return total, parts


StageLoss = Callable[[ShiftedGuidesNet, Sample, float], tuple[Tensor, dict[str, float]]]


def stage_loss(name: str, stage: StageConfig) -> StageLoss:
    """Return the loss of a stage, called with network, batch and progress 0..1."""
    if name == "autoencoder":
        return lambda net, batch, _: (autoencoder_loss(net, batch), {})
    if name == "pretrain":
        return lambda net, batch, _: (pretrain_loss(net, batch), {})
    return lambda net, batch, progress: color_loss(net, batch, stage, progress)


def trained_parts(name: str, net: OneStepNet) -> list[torch.nn.Parameter]:
    """Return the parameters a stage changes.

    The colour stage trains the whole network, unlike the published recipe (UNet
    only): mini's autoencoder is too small to be a prior worth freezing.
    """
    if name == "autoencoder":
        return list(net.vae.parameters())
    if name == "pretrain":
        return list(net.unet.parameters())
    return net.color_parameters()
