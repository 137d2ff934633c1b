"""Learned probes: where their weights are, loaded and saved.

A probe folder holds ``probe.json`` (shape of the network, what is known of it) and
``model.safetensors`` (float16). The one of mini lies in the package.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.weights import find_weights

if TYPE_CHECKING:
    from napari_gen2seg.models.networks.probe_net import ProbeNet

FACTS_NAME = "probe.json"
FORMAT_VERSION = 1
_FOLDER = Path(__file__).parent / "mini_probe"


def save_probe(net: ProbeNet, folder: Path, facts: dict[str, Any]) -> None:
    """Write a probe's network, weights as float16, into a folder that exists.

    Parameters
    ----------
    net
        The network, on any device.
    folder
        Where to.
    facts
        Entries of ``probe.json`` beside the network's shape.
    """
    import torch
    from safetensors.torch import save_file

    weights = {
        name: value.detach().to("cpu", torch.float16).contiguous()
        for name, value in net.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    told = {"format_version": FORMAT_VERSION, "net": net.config.to_dict(), **facts}
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
    if facts.get("format_version") != FORMAT_VERSION:
        raise WeightsError(
            f"The probe in {folder} has the format {facts.get('format_version')!r}; "
            f"this version reads {FORMAT_VERSION}. Update napari-gen2seg."
        )
    try:
        net = ProbeNet(ProbeNetConfig(tuple(facts["net"]["channels"])))
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
