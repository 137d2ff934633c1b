"""What a model family is, and a folder of one: records, without torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.weights import WeightFiles, find_weights, one_variant

if TYPE_CHECKING:
    import re

    from torch import Tensor, nn

    from napari_gen2seg.models.model_config import ModelConfig


class SelectedFiles(NamedTuple):
    """Which files of a hub repository a family needs.

    Attributes
    ----------
    names
        The files to download.
    weight_folders
        Prefixes (``"unet/"``; ``""`` is the top), each of which must hold safetensors.
    """

    names: frozenset[str]
    weight_folders: tuple[str, ...]


class CropDefaults(NamedTuple):
    """How much training computes at once when nobody says so.

    Attributes
    ----------
    side
        Side of a crop in pixels.
    batch
        Crops at once.
    accumulate
        How many times before a step.
    """

    side: int
    batch: int
    accumulate: int


@dataclass(frozen=True)
class TrainableParts:
    """What of a loaded network can be trained, and on which crops.

    Parameters
    ----------
    main
        The part that low-rank additions (LoRA) go into.
    full
        Parameters that ``"full"`` trains.
    last
        Modules that ``"last_blocks"`` trains.
    checkpointed
        Modules that can compute activations twice rather than keep them.
    multiple
        Sides of crops are multiples of this many pixels.
    fixed_side
        Side in pixels of the only input there is; None where crops may have any size.
    """

    main: nn.Module
    full: tuple[nn.Parameter, ...]
    last: tuple[nn.Module, ...]
    checkpointed: tuple[nn.Module, ...]
    multiple: int
    fixed_side: int | None = None


@dataclass(frozen=True)
class OwnLoss:
    """What a family asks its network for in place of colors.

    Parameters
    ----------
    answer
        Called with network, config and pixels (B, 3, h, w) in 0..1; returns what the
        network says of them, with gradients.
    loss
        Called with answers, labels (B, h, w) of which 0 is background and -1 unknown,
        and what it answered before it learnt, or None where all is known; returns a
        scalar.
    rates
        Largest step sizes by what is trained (``"full"``, ``"last_blocks"``), and
        ``"sparse"`` for all of it where labels are not complete.
    share
        Of the learnt weights in those that are kept; the rest are the weights from
        before (Wortsman et al. 2022, arXiv 2109.01903).
    """

    answer: Callable[[nn.Module, ModelConfig, Tensor], Tensor]
    loss: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    rates: Mapping[str, float]
    share: float = 1.0


@dataclass(frozen=True)
class FamilyTraining:
    """How a family is fine-tuned.

    Parameters
    ----------
    load_net
        Called with folder and number type; returns the network to train, on the CPU.
    parts
        Called with the network and the model's config.
    predict
        Called with network, config, pixels (B, 3, h, w) in 0..1, origin (B, 2) of the
        crops on position guides, and whether the latent term counts (of latent
        diffusion only); returns colors (B, 3, h, w), float32, stretched to 0..255 but
        not clipped, with gradients.
    crops
        Called with the config and whether it computes on a CPU.
    save_weights
        Called with network, base folder and a copy of it without weights; writes the
        weights there in the base's layout and number type.
    lora_targets
        Matches the names of the linear layers that LoRA adds to; None where there is
        no attention.
    not_copied
        Names within the base folder that a trained model has no use for.
    own_loss
        What the network is asked for; None asks for colors, as the paper does.
    """

    load_net: Callable[[ModelFolder, str], nn.Module]
    parts: Callable[[nn.Module, ModelConfig], TrainableParts]
    predict: Callable[[nn.Module, ModelConfig, Tensor, Tensor, bool], Tensor]
    crops: Callable[[ModelConfig, bool], CropDefaults]
    save_weights: Callable[[nn.Module, Path, Path], None]
    lora_targets: re.Pattern[str] | None = None
    not_copied: tuple[str, ...] = ()
    own_loss: OwnLoss | None = None


def select_top_files(names: Collection[str], marker: str) -> SelectedFiles | None:
    """Choose the JSON files and the safetensors at the top of a repository.

    Parameters
    ----------
    names
        Files of the repository.
    marker
        The file without which it is none of this family.
    """
    if marker not in names:
        return None
    top = [name for name in names if "/" not in name]
    texts = {name for name in top if name.endswith(".json")}
    return SelectedFiles(frozenset(texts | one_variant(top)), ("",))


def any_input_size(_config: ModelConfig) -> int | None:
    """Say that a model takes inputs of any size."""
    return None


def whole_net(net: nn.Module) -> tuple[nn.Module, ...]:
    """Name a network as the one part that is compiled."""
    return (net,)


@dataclass(frozen=True)
class Family:
    """A kind of model: everything that differs between kinds, in one record.

    Functions import torch when they are called, so that a menu may list families.

    Parameters
    ----------
    name
        As ``gen2seg.json`` and `ModelSpec.family` spell it.
    title, layout
        For people: what it is, and by what its folder is recognized.
    defaults
        Called with the folder and whether it has no ``gen2seg.json``; returns
        ``default_resolution``, ``min_resolution``, ``max_resolution`` and ``multiple``
        in pixels, where ``gen2seg.json`` does not say.
    select_files
        Called with the file names of a hub repository; returns the needed ones, or
        None where they are of another family.
    load_net
        Called with folder and number type; returns the network, on the CPU.
    colorer_class
        Returns the class that runs the network, a `BaseColorer`.
    work_bytes
        Called with folder, longer side in pixels (None: the model's own) and bytes of
        a number; returns what one forward pass needs beside the weights.
    detect
        Tells the family from the folder's own files; None where ``gen2seg.json``
        alone names it.
    training
        How it is fine-tuned; None where it cannot be.
    load_map_net
        Called with the folder; returns a module from pixels (1, 3, s, s) in 0..1 to a
        map (1, 3, s, s) in 0..255, to be traced for bioimage.io; None where it cannot.
    parts
        Folders within the model with the weights that run (``""``: the top).
    optional_parts
        Folders whose weights must be whole where their ``config.json`` is there.
    needed_files
        Further files without which a model is not complete.
    fixed_input_size
        Called with the config; returns the side in pixels of the square into which
        every picture is pressed, whatever its aspect; None where any size is taken.
    learned_probe
        Name of the learned probe that was measured on its maps, if one was.
    compiled_parts
        Called with the network; returns what ``torch.compile`` is to compile, in place.
    """

    name: str
    title: str
    layout: str
    defaults: Callable[[Path, bool], dict[str, int | None]]
    select_files: Callable[[Collection[str]], SelectedFiles | None]
    load_net: Callable[[ModelFolder, str], nn.Module]
    colorer_class: Callable[[], type[Any]]
    work_bytes: Callable[[ModelFolder, int | None, int], int]
    detect: Callable[[Path], bool] | None = None
    training: FamilyTraining | None = None
    load_map_net: Callable[[ModelFolder], nn.Module] | None = None
    parts: tuple[str, ...] = ("",)
    optional_parts: tuple[str, ...] = ()
    needed_files: tuple[str, ...] = ()
    fixed_input_size: Callable[[ModelConfig], int | None] = any_input_size
    learned_probe: str | None = None
    compiled_parts: Callable[[nn.Module], tuple[nn.Module, ...]] = whole_net


@dataclass(frozen=True)
class ModelFolder:
    """What a model folder holds.

    Parameters
    ----------
    path
        The folder.
    config
        Its ``gen2seg.json``, completed by the family's defaults.
    family
        What runs it.
    revision
        The hub's commit, where it comes from there.
    """

    path: Path
    config: ModelConfig
    family: Family
    revision: str | None = None

    @cached_property
    def weights(self) -> dict[str, WeightFiles]:
        """The weight files of the parts that run, by the parts' names; searched once.

        Raises
        ------
        WeightsError
            If some are missing, damaged or unsafe.
        """
        return {part: find_weights(self.path / part) for part in self.family.parts}

    @property
    def parameters(self) -> int:
        """Number of values in the weights that run."""
        return sum(files.parameters for files in self.weights.values())

    @property
    def bytes(self) -> int:
        """Size on disk of the weights that run."""
        return sum(files.bytes for files in self.weights.values())

    @property
    def is_complete(self) -> bool:
        """Whether all that loading needs is there, as far as files tell."""
        family = self.family
        try:
            _ = self.weights
            for part in family.optional_parts:
                if (self.path / part / "config.json").is_file():
                    find_weights(self.path / part)
        except WeightsError:
            return False
        return all((self.path / name).is_file() for name in family.needed_files)
