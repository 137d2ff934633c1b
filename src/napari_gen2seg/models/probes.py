"""Learned probes: where their weights are, loaded and saved.

A probe folder holds ``probe.json`` (shape of the network, whose features it is shown,
what is known of it) and ``model.safetensors`` (float16). The one of mini lies in the
package.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.core.candidates import paint, select
from napari_gen2seg.core.learned_probe.choice import SIMILARITY, possible_method
from napari_gen2seg.core.learned_probe.looking import Predict
from napari_gen2seg.core.learned_probe.probe import Probe
from napari_gen2seg.errors import ModelNotFoundError, WeightsError
from napari_gen2seg.models.families import get_family
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.weights import find_weights

if TYPE_CHECKING:
    from napari_gen2seg.common.progress import Cancel, Progress
    from napari_gen2seg.common.types import Float32Array, Int32Array
    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.proposal_settings import ProposalSettings
    from napari_gen2seg.models.networks.offset_net import OffsetNet
    from napari_gen2seg.models.networks.probe_net import ProbeNet, ShownProbe
    from napari_gen2seg.models.spec import ModelSpec

FACTS_NAME = "probe.json"
FORMAT_VERSION = 2

_WEIGHTS = "model.safetensors"
_MINI = Path(__file__).parent / "mini"

#: Where each shipped probe lies; one without weights yet is as good as none.
_FOLDERS = {"mini": Path(__file__).parent / "mini_probe"}

#: Probes measured on the maps of single models, beside those that families name.
_OF_MODEL = {"mini": "mini"}


def list_probes() -> list[str]:
    """Return the names of the learned probes that are there."""
    return [
        name for name, folder in _FOLDERS.items() if (folder / FACTS_NAME).is_file()
    ]


def measured_probe(spec: ModelSpec) -> str | None:
    """Return the learned probe that was measured on a model's maps, if it is there."""
    name = get_family(spec.family).learned_probe or _OF_MODEL.get(spec.id)
    return name if name in list_probes() else None


@checked_arguments()
def load_probe(name: str = "mini") -> Probe:
    """Load a learned probe, to run in this process.

    Parameters
    ----------
    name
        ``"mini"``, the one that ships, or a folder with a probe.

    Returns
    -------
    Probe
        ``.mask(coloring, points, signs)`` on colorings of any model; it was measured on
        those of mini.

    Raises
    ------
    ModelNotFoundError
        If there is no such probe.
    WeightsError
        If its files are missing, damaged or unsafe.
    """
    return _loaded(name)


@lru_cache
def _loaded(name: str) -> Probe:
    """Load a probe once: it keeps its answers, map by map."""
    return Probe(load_predict(name), Path(name).name)


def load_predict(name: str = "mini") -> Predict:
    """Load a learned probe's network alone; see `load_probe`."""
    folder = _FOLDERS.get(name, Path(name))
    if not (folder / FACTS_NAME).is_file():
        there = ", ".join(list_probes()) or "none in this installation"
        raise ModelNotFoundError(
            f"There is no learned probe {name!r}. There are: {there}; or give a folder "
            f"with {FACTS_NAME}."
        )
    shown = load_shown_probe(folder)

    def predict(channels: Float32Array) -> tuple[Float32Array, Float32Array]:
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(channels)
            logits, quality = shown(batch.contiguous(memory_format=torch.channels_last))
        return logits.numpy(), quality.numpy()

    return predict


def chosen_probe(coloring: Coloring, method: str | None = None) -> Probe | None:
    """Return the learned probe that is to answer on a map, or None for similarity.

    Parameters
    ----------
    coloring
        The map.
    method
        ``"similarity"``, ``"learned"``, or None for the default on such maps.

    Raises
    ------
    SettingsError
        If there is no such method.
    ModelNotFoundError
        If the learned one was asked for and none is there.
    """
    if possible_method(coloring, method) == SIMILARITY:
        return None
    name = coloring.learned_probe or "mini"
    if method is None and name not in list_probes():
        return None  # colored where it was there
    return load_probe(name)


def find_candidates(
    coloring: Coloring,
    settings: ProposalSettings | None = None,
    method: str | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> CandidateSet:
    """Return the instances of a map, with the outlines that clicks would give them.

    The window, the command line and batches find objects by this alone.

    Parameters
    ----------
    coloring
        The map.
    settings
        As for `Coloring.candidates`.
    method
        Who draws the outlines, see `chosen_probe`; by similarity they stay as the map,
        or the family, has them.
    progress, cancel
        As for `Probe.refine`.

    Raises
    ------
    SettingsError, ModelNotFoundError
        As `chosen_probe`.
    Cancelled
        If ``cancel`` said so.
    """
    found = coloring.candidates(settings)
    probe = chosen_probe(coloring, method)
    return found if probe is None else probe.refine(coloring, found, progress, cancel)


def propose(
    coloring: Coloring,
    settings: ProposalSettings | None = None,
    method: str | None = None,
    cancel: Cancel | None = None,
) -> Int32Array:
    """Return all objects of a map as labels, int32 (H, W); see `find_candidates`."""
    found = find_candidates(coloring, settings, method, cancel=cancel)
    return paint(found, select(found))


def save_probe(net: ProbeNet, folder: Path, eyes: Path, facts: dict[str, Any]) -> None:
    """Write a probe's network, weights as float16, into a folder that exists.

    Parameters
    ----------
    net
        The network, on any device.
    folder
        Where to.
    eyes
        Folder of the model whose features it was shown, and will be.
    facts
        Further entries of ``probe.json``.
    """
    import torch
    from safetensors.torch import save_file

    weights = {
        name: value.detach().to("cpu", torch.float16).contiguous()
        for name, value in net.state_dict().items()
    }
    save_file(weights, folder / _WEIGHTS, {"format": "pt"})
    told = {
        "format_version": FORMAT_VERSION,
        "net": net.config.to_dict(),
        "features": {"model": eyes.name, "sha256": _weights_sha256(eyes)},
        **facts,
    }
    text = json.dumps(told, indent=2) + "\n"
    (folder / FACTS_NAME).write_text(text, encoding="utf-8")


def load_probe_net(folder: Path) -> ProbeNet:
    """Load a probe folder's network on the CPU, float32, for inference.

    Raises
    ------
    WeightsError
        If something is missing, damaged, unsafe, newer than this program, or the
        weights are not those of the stated shape.
    """
    from safetensors.torch import load_file
    from torch import channels_last

    from napari_gen2seg.models.networks.probe_net import ProbeNet, ProbeNetConfig

    facts = read_json(folder / FACTS_NAME)
    files = find_weights(folder).files
    version = facts.get("format_version")
    if version != FORMAT_VERSION:
        way_out = "Update napari-gen2seg."
        if isinstance(version, int) and version < FORMAT_VERSION:
            way_out = "It is of an earlier version: train and export it again."
        raise WeightsError(
            f"The probe in {folder} has the format {version!r}; this version reads "
            f"{FORMAT_VERSION}. {way_out}"
        )
    try:
        shape = {name: tuple(value) for name, value in facts["net"].items()}
        net = ProbeNet(ProbeNetConfig(**shape))
        net.load_state_dict({k: v.float() for k, v in load_file(files[0]).items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise WeightsError(
            f"The weights in {folder} do not fit its {FACTS_NAME}: {lines[0][:300]}. "
            "Copy the probe again."
        ) from error
    net = net.to(memory_format=channels_last)  # type: ignore[call-overload]
    net.requires_grad_(False)
    return net.eval()


def load_shown_probe(folder: Path) -> ShownProbe:
    """Load a probe folder's network, and the model's that shows it features.

    That model is looked for in the package and beside the folder.

    Raises
    ------
    WeightsError
        As `load_probe_net`, and if that model is in neither place.
    """
    from napari_gen2seg.models.networks.probe_net import ShownProbe

    net = load_probe_net(folder)
    told = read_json(folder / FACTS_NAME).get("features")
    named = told if isinstance(told, dict) else {}
    wanted = named.get("sha256")
    for place in (_MINI, folder.resolve().parent / str(named.get("model"))):
        if (place / _WEIGHTS).is_file() and _weights_sha256(place) == wanted:
            return ShownProbe(net, load_eyes(place)).eval()
    raise WeightsError(
        f"The probe in {folder} is shown features by the model {named.get('model')!r}, "
        "which is neither the mini of this version nor beside it. Copy that model's "
        f"folder to {folder.parent}."
    )


def load_eyes(folder: Path) -> OffsetNet:
    """Load the network of a model folder, to show a probe its features.

    Raises
    ------
    WeightsError
        If it is no model of the family ``offsets``, or damaged.
    """
    from napari_gen2seg.models.families.offsets import load_net
    from napari_gen2seg.models.model_folder import read_model_folder

    model = read_model_folder(folder)
    if model.family.name != "offsets":
        raise WeightsError(
            f"The model in {folder} is of the family {model.family.name!r}; a probe is "
            "shown features by one of the family 'offsets'. Name such a model first."
        )
    return load_net(model).eval()


def _weights_sha256(folder: Path) -> str:
    with (folder / _WEIGHTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
