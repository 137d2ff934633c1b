"""A loaded model that can be trained: one face for both families.

The network inside is the very one the colorer uses, so previews and scores show what
a person would get, without a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.common.progress import Cancel, Progress
from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.model_config import ModelConfig, read_model_config
from napari_gen2seg.models.registry import find
from napari_gen2seg.models.runtime.device import DeviceChoice
from napari_gen2seg.models.spec import ModelSpec
from napari_gen2seg.train.mini.stages import ShiftedGuidesNet, trained_parts


@dataclass(eq=False)
class TrainableModel:
    """A model in training.

    Attributes
    ----------
    colorer
        Colours pictures with the weights as they are now.
    spec, facts, folder
        Of the base.
    trained
        Names (of the whole network) and parameters that training changes.
    """

    colorer: BaseColorer
    spec: ModelSpec
    facts: ModelConfig
    folder: Path
    trained: dict[str, nn.Parameter]

    @property
    def net(self) -> Any:
        """The network."""
        return self.colorer.net

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return torch.device(self.colorer.device)

    @property
    def guided(self) -> bool:
        """Whether positions enter the network; it then learns harmonic colours."""
        return self.facts.guides is not None

    @property
    def multiple(self) -> int:
        """Crops have sides that are multiples of this many pixels."""
        if self.facts.family == "mae":
            return int(self.net.patch_size)
        return max(self.facts.multiple, int(self.net.factor))

    @property
    def parameters(self) -> int:
        """Values in the whole model."""
        return sum(p.numel() for p in self.net.parameters())

    @property
    def trainable(self) -> int:
        """Values that training changes."""
        return sum(p.numel() for p in self.trained.values())

    def predict(
        self, pixels: Tensor, origin: Tensor, *, latent_term: bool = True
    ) -> Tensor:
        """Colour crops, with gradients.

        Parameters
        ----------
        pixels
            (B, 3, s, s), 0..1.
        origin
            (B, 2), where the crops' corners lie on the position guides.
        latent_term
            See `OneStepNet.denoise`; says nothing to a masked autoencoder.

        Returns
        -------
        Tensor (B, 3, s, s)
            float32, stretched to 0..255 as at inference but neither clipped nor
            brightened, which would stop gradients.
        """
        if self.facts.family == "mae":
            return _stretched(self.net(pixels.to(_dtype(self.net.vit))).float())
        net: ShiftedGuidesNet = self.net
        net.origin = origin if self.guided else None
        pixels = (pixels * 2 - 1).contiguous(memory_format=torch.channels_last)
        try:
            seen = pixels.to(_dtype(net.vae))
            colors = net(seen, latent_term=latent_term).float()
        finally:
            net.origin = None
        if self.facts.stretch == "fixed":
            return (colors + 1) * 127.5
        return _stretched(colors)

    def training(self) -> None:
        """Make ready for steps (previews switch to evaluation)."""
        self.net.train()

    def checkpoint(self) -> None:
        """Compute activations twice rather than keep them."""
        for module in _parts(self.net):
            switch = getattr(module, "enable_gradient_checkpointing", None) or getattr(
                module, "gradient_checkpointing_enable", None
            )
            if switch is not None:
                switch()


def load_trainee(
    model: str,
    device: str = "auto",
    revision: str | None = None,
    dtype: str = "float32",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> TrainableModel:
    """Load a base model; nothing is trainable yet.

    Raises
    ------
    ModelError
        If it cannot be found, fetched or loaded.
    """
    spec = find(model)
    if spec.source == "hub":
        from napari_gen2seg.models.hub.download import fetch

        spec = fetch(spec, revision, progress=progress, cancel=cancel)
    if spec.path is None:
        raise WeightsError(f"The weights of {model!r} are missing; install it again.")
    facts = read_model_config(spec.path)
    from napari_gen2seg.models.runtime.device import choose

    choice: DeviceChoice = choose(device, dtype)
    colorer: BaseColorer
    if facts.family == "mae":
        from napari_gen2seg.models.families import mae

        colorer = mae.MaeColorer(mae.load_net(spec.path, dtype), spec, facts, choice)
    else:
        from napari_gen2seg.models.families import stable_diffusion

        plain = stable_diffusion.load_net(spec.path, facts, dtype)
        net = ShiftedGuidesNet(
            plain.unet, plain.vae, plain.prompt, plain.alphas_bar, plain.guides
        )
        colorer = stable_diffusion.SdColorer(net, spec, facts, choice)
    return TrainableModel(colorer, spec, facts, spec.path, {})


def set_trained(trainee: TrainableModel, trains: str, seed: int = 0) -> None:
    """Choose what training changes.

    ``"full"``: the whole network of a model with position guides (our own small
    kind); the UNet of Stable Diffusion, as published; the whole masked autoencoder.
    ``"last"``: the last two up blocks and the output of a UNet, the last quarter of a
    masked autoencoder's decoder. ``"lora"``: low-rank additions to all attention.

    Raises
    ------
    SettingsError
        If the model has no attention to add to, or peft is not installed.
    """
    net = trainee.net
    net.requires_grad_(False)
    if trains == "lora":
        from napari_gen2seg.train.finetune.lora import add_lora

        add_lora(_main_part(trainee), seed)
    elif trains == "last":
        for module in _last(trainee):
            module.requires_grad_(True)
    elif trainee.facts.family == "mae":
        net.requires_grad_(True)
    elif trainee.guided:
        for parameter in trained_parts("colour", net):
            parameter.requires_grad_(True)
    else:
        net.unet.requires_grad_(True)
    for name, parameter in net.named_parameters():
        # Fixed sine and cosine tables of a masked autoencoder are no weights.
        if name.endswith(("position_embeddings", "decoder_pos_embed", "mask_token")):
            parameter.requires_grad_(False)
    trainee.trained = {
        name: parameter
        for name, parameter in net.named_parameters()
        if parameter.requires_grad
    }


def _main_part(trainee: TrainableModel) -> nn.Module:
    part: nn.Module = (
        trainee.net.vit if trainee.facts.family == "mae" else trainee.net.unet
    )
    return part


def _last(trainee: TrainableModel) -> Iterator[nn.Module]:
    part = cast("Any", _main_part(trainee))
    if trainee.facts.family == "mae":
        layers = list(part.decoder.decoder_layers)
        yield from layers[-max(1, len(layers) // 4) :]
        yield part.decoder.decoder_norm
        yield part.decoder.decoder_pred
        return
    blocks = list(part.up_blocks)
    yield from blocks[-min(2, max(1, len(blocks) // 2)) :]
    yield part.conv_norm_out
    yield part.conv_out


def _parts(net: Any) -> Iterator[nn.Module]:
    for name in ("unet", "vae", "vit"):
        part = getattr(net, name, None)
        if part is not None:
            yield part


def _dtype(part: Any) -> torch.dtype:
    """Return the number type of the part that the pixels enter."""
    first: nn.Parameter = next(part.parameters())
    return first.dtype


def _stretched(colors: Tensor) -> Tensor:
    """Stretch each prediction to 0..255 by its own extremes, as published training."""
    raised = colors + colors.amin((1, 2, 3), keepdim=True).abs()
    span = (
        raised.amax((1, 2, 3), keepdim=True).abs()
        + raised.amin((1, 2, 3), keepdim=True).abs()
    )
    return raised / (span + 1e-5) * 255.0
