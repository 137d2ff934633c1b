"""Short runs of mini's map of one length, one thing changed at a time.

    python benchmarks/ablate_map.py DATA [--steps 400] [--only NAME ...] [--keep FOLDER]

Every run starts from the same seed, at a steady rate, and its averaged weights are
tried. The score is the one protocol's click in the middle, answered by similarity, on
the same crops of the validation images of every set in `configs/map.toml` that has
some, of a set that no run has seen, and of drawn scenes, all at the size that the model
likes: what is compared is the map, not the choice of a size. Means over objects, then
over sets.

``colors`` replaces centers by what gen2seg asks for (`train.loss.instance_coloring`):
the same network's three channels are the colors. With ``--keep`` a run that was stopped
goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from clicks import click_labels, summary  # benchmarks/clicks.py
from torch import Tensor

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.errors import DataError
from napari_gen2seg.metrics.click_protocol import answerer
from napari_gen2seg.models.networks.offset_net import OffsetNet
from napari_gen2seg.models.networks.offset_painting import end_points, paint_waves
from napari_gen2seg.train.data.image_folder import crop, read_source
from napari_gen2seg.train.loss.weighted import paper_loss
from napari_gen2seg.train.mini.config import read_settings
from napari_gen2seg.train.mini.dataset import Sample
from napari_gen2seg.train.mini.map_stage import (
    Learn,
    MapConfig,
    learn_offsets,
    train_map,
)
from napari_gen2seg.train.mini.open_ended import read_trained
from napari_gen2seg.train.synthetic import draw_scene

_SIDE = 256  # pixels of a crop that is tried
_UNSEEN = "ampis_powder"
_FIRST = ("dsb2018", "usiigaci")  # what the first mini knew
_GROUPS = ("first two", "others", "unseen", "drawn", "all")

Case = tuple[str, np.ndarray, np.ndarray]


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--config", default="configs/map.toml")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--only", nargs="+", default=list(_VARIANTS))
    parser.add_argument("--keep", type=Path, help="folder of the runs")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    root = [f'data.root="{chosen.data}"', "warmup=50"]
    asked = read_settings(MapConfig, chosen.config, root)
    cases = list(test_cases(chosen.data, list(asked.data.sources)))
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="ablate-"))
    heads = "".join(f"{one:>10}" for one in _GROUPS)
    out(f"{'run':28}{heads}")
    for name in chosen.only:
        change, learn, paint = _VARIANTS[name]
        config = change(asked)
        begun = time.process_time()
        net = trained(config, learn, folder / name.replace(" ", "-"), chosen.steps)
        seconds = time.process_time() - begun
        out(f"{name:28}{score(net, paint, cases, config)}   {seconds:.0f} s")


def trained(config: MapConfig, learn: Learn, folder: Path, steps: int) -> OffsetNet:
    """Train so many steps, a multiple of 25; return the averaged weights."""
    done = [0]
    for event in train_map(config, folder, lambda: done[-1] >= steps, learn=learn):
        done.append(event["step"])
    net = OffsetNet(config.net)
    net.load_state_dict(read_trained(folder, "map").weights)
    return net.eval()


def learn_colors(answers: Tensor, batch: Sample) -> tuple[Tensor, Mapping[str, float]]:
    """Colors, by the paper's loss."""
    return paper_loss((answers + 1) * 127.5, batch["labels"]), {}


def paint_offsets(answers: Tensor, config: MapConfig) -> Tensor:
    """The map that follows from centers."""
    ends = end_points(answers[:, 1:], answers[:, :1])
    return paint_waves(ends, answers[:, :1], 1.85 * config.object_diameter)


def paint_colors(answers: Tensor, config: MapConfig) -> Tensor:
    """The map that the network said."""
    return (answers + 1) * 127.5


def test_cases(data: Path, sources: list[str], each: int = 4) -> Iterator[Case]:
    """Yield fixed crops: set, uint8 (s, s, 3), labels."""
    rng = np.random.default_rng(7)
    for source in [*sources, _UNSEEN]:
        try:
            images = read_source(data / source, "val")
        except DataError:  # all of it is for training
            continue
        for i in np.linspace(0, len(images) - 1, min(each, len(images))).astype(int):
            yield source, *crop(images[i], rng, _SIDE, 52.0, around=1.0)
    for _ in range(2 * each):
        scene = draw_scene(rng, _SIDE)
        yield "drawn", (scene.image * 255).astype(np.uint8), scene.labels


@torch.inference_mode()
def score(
    net: OffsetNet,
    paint: Callable[[Tensor, MapConfig], Tensor],
    cases: list[Case],
    config: MapConfig,
) -> str:
    """Return the figures of one network as text."""
    found: dict[str, list] = {}
    for source, rgb, labels in cases:
        pixels = torch.from_numpy(rgb.astype(np.float32) / 255).permute(2, 0, 1)[None]
        values = paint(net(pixels), config)[0].clamp(0, 255).permute(1, 2, 0)
        coloring = Coloring.from_array(values.contiguous().numpy())
        clicks = click_labels(answerer(coloring), labels, most=8)
        found.setdefault(source, []).extend(clicks)
    means = {name: summary(rows).get("centre", np.nan) for name, rows in found.items()}
    groups = [
        [means.pop(name) for name in _FIRST if name in means],
        [means.pop(_UNSEEN)],
        [means.pop("drawn")],
    ]
    groups.insert(1, list(means.values()))
    cells = [float(np.nanmean(group)) for group in groups]
    cells.append(float(np.nanmean(np.concatenate(groups))))
    return "".join(f"{cell:10.3f}" for cell in cells)


def _sources(config: MapConfig, **changed: object) -> MapConfig:
    return replace(config, data=replace(config.data, **changed))


def _first_two(config: MapConfig) -> MapConfig:
    sources = {name: config.data.sources[name] for name in _FIRST}
    return _sources(config, sources=sources)


def out(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


_Variant = tuple[
    Callable[[MapConfig], MapConfig], Learn, Callable[[Tensor, MapConfig], Tensor]
]
_VARIANTS: dict[str, _Variant] = {
    "as it is": (lambda config: config, learn_offsets, paint_offsets),
    "not pretrained": (
        lambda config: replace(config, pretrained=False),
        learn_offsets,
        paint_offsets,
    ),
    "colors": (lambda config: config, learn_colors, paint_colors),
    "no drawn scenes": (
        lambda config: _sources(config, drawn=0.0),
        learn_offsets,
        paint_offsets,
    ),
    "without the sixteen sets": (_first_two, learn_offsets, paint_offsets),
}


if __name__ == "__main__":
    main()
