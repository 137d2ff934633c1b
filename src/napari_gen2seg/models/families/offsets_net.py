"""The ``offsets`` family's colorer, and its weights on disk; see `offsets`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.common.progress import Cancel, Progress, report
from napari_gen2seg.core.map.object_size import typical_of
from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.base_colorer import BaseColorer, Rgb, Seen
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.networks.offset_looks import Look, join_looks
from napari_gen2seg.models.networks.offset_net import OffsetNet, OffsetNetConfig
from napari_gen2seg.models.networks.offset_painting import end_points, paint_waves
from napari_gen2seg.models.networks.tensors import (
    pad,
    resize,
    resized_shape,
    to_values,
)
from napari_gen2seg.models.runtime.resolution import (
    coarser_look,
    first_look,
    refine_resolution,
)

if TYPE_CHECKING:
    from napari_gen2seg.models.families.family import ModelFolder
    from napari_gen2seg.models.model_config import ModelConfig

_WAVES = 1.85  # wavelength of the colors, in sizes of the liked object
_LIKED = 52.0  # px, where a model does not say


def paint(answers: Tensor, config: ModelConfig) -> Tensor:
    """Paint the map (B, 3, H, W) in 0..255 of the network's answers (B, 3, H, W)."""
    wavelength = _WAVES * (config.object_diameter or _LIKED)
    return paint_waves(
        end_points(answers[:, 1:], answers[:, :1]), answers[:, :1], wavelength
    )


class OffsetsColorer(BaseColorer):
    """A loaded model of the ``offsets`` family."""

    def _forward(self, pictures: Tensor, resolution: int) -> Tensor:
        answers = self._answers(pictures, resolution)
        return paint(answers, self.config)

    def _answers(self, pictures: Tensor, resolution: int) -> Tensor:
        """Return object logit and offset (B, 3, h, w) of pictures (B, 3, H, W)."""
        # 1. preprocess: longer side to the resolution, padded
        height, width = pictures.shape[-2:]
        shape = resized_shape((height, width), resolution)
        pixels = pad(resize(pictures, shape), self.config.multiple)
        pixels = pixels.to(self._placed.torch_dtype)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        # 2. predict; the answers leave in float32
        answers: Tensor = self.net(pixels).float()[..., : shape[0], : shape[1]]
        return answers

    def _fields(self, pictures: Tensor, resolution: int) -> Tensor:
        """Return object logit and end point (B, 3, h, w), in pixels of that size."""
        answers = self._answers(pictures, resolution)
        ends = end_points(answers[:, 1:], answers[:, :1])
        return torch.cat([answers[:, :1], ends], 1)

    def _look(self, rgb: Rgb, resolution: int, cancel: Cancel | None) -> Look:
        return Look.of(
            resolution, self._predict([rgb], resolution, cancel, self._fields)[0]
        )

    def _see(
        self,
        rgb: Rgb,
        resolution: int,
        may_refine: bool,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> Seen:
        liked = self.config.object_diameter or _LIKED
        native = max(rgb.shape[:2])
        if may_refine:
            resolution = first_look(resolution, native, self.config)
        main = self._look(rgb, resolution, cancel)
        coarser: list[Look] = []
        if may_refine and len(main.instances):
            better = refine_resolution(
                resolution, typical_of(main.diameters), native, self.config
            )
            if better is not None:
                report(progress, 0.4, f"Looking again, at {better} pixels")
                first, main = main, self._look(rgb, better, cancel)
                coarser = [first] if better > resolution else []
            less = coarser_look(main.resolution, main.diameters, self.config)
            if less is not None:
                report(progress, 0.8, f"Looking again, at {less} pixels")
                coarser.append(self._look(rgb, less, cancel))
        seen = join_looks([main, *coarser])
        ends, logit = (torch.from_numpy(a)[None] for a in (seen.ends, seen.logit[None]))
        values = paint_waves(ends, logit, _WAVES * liked)
        return Seen(to_values(values)[0], seen.resolution, seen.instances)


class MapNet(nn.Module):
    """The way from pixels (1, 3, s, s) in 0..1 to a map in 0..255, to be traced."""

    def __init__(self, net: OffsetNet, config: ModelConfig) -> None:
        super().__init__()
        self.net = net
        self.config = config
        self.requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the map of one picture."""
        return paint(self.net(pixels), self.config)


def load_net(folder: ModelFolder, dtype: str, *, folded: bool) -> OffsetNet:
    """Load a folder's network; see `offsets.load_net`."""
    from safetensors.torch import load_file

    state: dict[str, Tensor] = {}
    files = folder.weights[""].files
    try:
        for path in files:
            state |= load_file(path)
        raw = read_json(folder.path / "config.json")
        net = OffsetNet(OffsetNetConfig(tuple(raw["channels"])))
        net.load_state_dict(state)
    except MemoryError:
        raise
    except Exception as error:  # damaged files make both raise anything
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise WeightsError(
            f"The weights in {folder.path} do not fit its config.json: "
            f"{lines[0][:300]}. Download or copy the model again."
        ) from error
    net = net.to(getattr(torch, dtype))
    if folded:
        net.encoder.fold()
    return cast("OffsetNet", net.to(memory_format=torch.channels_last))  # type: ignore[call-overload]


def save_net(net: OffsetNet, folder: Path) -> None:
    """Write shape and weights of a network that is not folded; weights as float16."""
    from safetensors.torch import save_file

    weights = {
        name: value.detach().to("cpu", torch.float16).contiguous()
        if value.is_floating_point()
        else value.detach().cpu().contiguous()
        for name, value in net.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    shape = {"model_type": "offset_net", **net.config.to_dict()}
    text = json.dumps(shape, indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
