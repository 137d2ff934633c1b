"""A loaded model that can be trained: one face for every family.

The network inside is the very one the colorer uses, so previews and scores show what
a person would get, without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_gen2seg.common.progress import Cancel, Progress
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.families.family import FamilyTraining, TrainableParts
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.registry import find, model_folder
from napari_gen2seg.models.runtime.device import DeviceChoice
from napari_gen2seg.models.spec import ModelSpec
from napari_gen2seg.train.finetune.lora import add_lora, attention_layers


@dataclass(eq=False)
class TrainableModel:
    """A model in training.

    Attributes
    ----------
    colorer
        Colours pictures with the weights as they are now.
    spec, model_config, folder
        Of the base.
    family
        How its family is trained.
    trained
        Names (of the whole network) and parameters that training changes.
    parts
        What can be trained.
    """

    colorer: BaseColorer
    spec: ModelSpec
    model_config: ModelConfig
    folder: Path
    family: FamilyTraining
    trained: dict[str, nn.Parameter] = field(default_factory=dict)
    parts: TrainableParts = field(init=False)

    def __post_init__(self) -> None:
        self.parts = self.family.parts(self.net, self.model_config)

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
        """Whether positions enter the network; it then learns harmonic colors."""
        return self.model_config.guides is not None

    @property
    def small_net(self) -> bool:
        """Whether it is a small network of our own, which synthetic scenes teach too.

        Large ones bring what they know from elsewhere.
        """
        return self.guided or self.family.own_loss is not None

    @property
    def multiple(self) -> int:
        """Crops have sides that are multiples of this many pixels."""
        return self.parts.multiple

    @property
    def lora_layers(self) -> list[str]:
        """Names within ``parts.main`` of the layers that LoRA adds to."""
        return attention_layers(self.parts.main, self.family.lora_targets)

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
        """Color crops, with gradients.

        Parameters
        ----------
        pixels
            (B, 3, s, s), 0..1.
        origin
            (B, 2), where the crops' corners lie on the position guides.
        latent_term
            See `OneStepNet.denoise`; says nothing to other families.

        Returns
        -------
        Tensor (B, 3, s, s)
            float32, stretched to 0..255 as at inference but neither clipped nor
            brightened, which would stop gradients.
        """
        return self.family.predict(
            self.net, self.model_config, pixels, origin, latent_term
        )

    def training(self) -> None:
        """Make ready for steps (previews switch to evaluation)."""
        self.net.train()

    def checkpoint(self) -> None:
        """Compute activations twice rather than keep them."""
        for module in self.parts.checkpointed:
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
    SettingsError
        If its family cannot be trained.
    """
    spec = find(model)
    if spec.source == "hub":
        from napari_gen2seg.models.hub.download import fetch

        spec = fetch(spec, revision, progress=progress, cancel=cancel)
    folder = model_folder(spec)
    family = folder.family.training
    if family is None:
        raise SettingsError(
            f"{model!r} is a model of the family {folder.config.family!r} "
            f"({folder.family.title}), which cannot be fine-tuned. Choose another base."
        )
    from napari_gen2seg.models.runtime.device import choose

    choice: DeviceChoice = choose(device, dtype)
    net = family.load_net(folder, dtype)
    colorer = folder.family.colorer_class()(net, spec, folder.config, choice)
    return TrainableModel(colorer, spec, folder.config, folder.path, family)


def set_trained(trainee: TrainableModel, trainable: str, seed: int = 0) -> None:
    """Choose what training changes.

    ``"full"`` and ``"last_blocks"``: what the family says, such as the UNet of Stable
    Diffusion, as published, or its last two up blocks. ``"lora"``: low-rank additions
    to all attention.

    Raises
    ------
    SettingsError
        If the model has no attention to add to, or peft is not installed.
    """
    net, parts = trainee.net, trainee.parts
    net.requires_grad_(False)
    if trainable == "lora":
        add_lora(parts.main, trainee.lora_layers, seed)
    elif trainable == "last_blocks":
        for module in parts.last:
            module.requires_grad_(True)
    else:
        for parameter in parts.full:
            parameter.requires_grad_(True)
    trainee.trained = {
        name: parameter
        for name, parameter in net.named_parameters()
        if parameter.requires_grad
    }
