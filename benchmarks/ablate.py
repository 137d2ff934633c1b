"""Short colouring runs of one budget, one setting changed at a time.

    python benchmarks/ablate.py DATA [--steps 1000] [--only NAME ...]

Every run starts from the same seed and sees the same crops (the two stages before
colouring, where they run, come on top of it: half as many steps each). The score is
taken on fixed crops of the validation pictures at the size the model likes and on
drawn scenes: one-centre-click IoU, the share of touching pairs whose mean colours
differ by more than the tolerance the probe chooses, and the correlation of the hue
inside objects with the harmonic target's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from clicks import click_labels, summary, touching_score  # benchmarks/clicks.py

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.metrics.click_protocol import answerer, interior_point
from napari_gen2seg.train.data.image_folder import crop, read_source
from napari_gen2seg.train.loss.harmonic import harmonic_target
from napari_gen2seg.train.mini.config import read_config
from napari_gen2seg.train.mini.trainer import load_weights, starting_net, train_stage
from napari_gen2seg.train.synthetic import draw_scene

VARIANTS: dict[str, tuple[list[str], list[str]]] = {
    "as shipped": ([], []),
    "with autoencoder and pretraining": (["autoencoder", "pretrain"], []),
    "no positions": ([], ["model.wavelengths=[]"]),
    "no outlines, no flatness": ([], ["colour.outline=0.0", "colour.flat=0.0"]),
    "neighbour loss after warm-up": (
        [],
        ['colour.loss="neighbour"', "colour.warmup=0.6", "colour.harmonic_floor=0.3"],
    ),
    "paper loss after warm-up": ([], ['colour.loss="paper"', "colour.warmup=0.6"]),
    "paper loss alone": ([], ['colour.loss="paper"', "colour.warmup=0.0"]),
    "background from the start": ([], ["colour.reveal=0.0"]),
    "no dark rim": ([], ["colour.rim=0.0"]),
    "drawn scenes only": ([], ["data.drawn=1.0", "data.sources={}"]),
    "latent factor 4": (
        [],
        [
            "model.vae_channels=[8, 16, 32]",
            "model.latent_channels=16",
            "model.unet_channels=[48, 80, 128, 160]",
        ],
    ),
    "latent factor 8": (
        [],
        [
            "model.vae_channels=[8, 16, 32, 48]",
            "model.latent_channels=32",
            "model.unet_channels=[80, 128, 160]",
        ],
    ),
}


def main() -> None:
    """Print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--config", default="configs/mini.toml")
    parser.add_argument("--steps", type=int, default=1000, help="of colouring")
    parser.add_argument("--only", nargs="+", default=list(VARIANTS))
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(chosen.threads)
    cases = test_cases(chosen.data)
    for name in chosen.only:
        before, settings = VARIANTS[name]
        common = [
            f'data.root="{chosen.data}"',
            "colour.batch=4",
            "data.crop=96",
            f"colour.steps={chosen.steps}",
            "colour.reveal=0.08",  # the shipped share is of a run 40 times as long
            f"autoencoder.steps={chosen.steps // 2}",
            f"pretrain.steps={chosen.steps // 2}",
        ]
        config = read_config(chosen.config, common + settings)
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder)
            for stage in (*before, "colour"):
                for _ in train_stage(config, stage, run):
                    pass
            net = starting_net(config, "autoencoder", run)
            load_weights(net, run / "colour.safetensors")
        seconds = time.perf_counter() - begun
        sys.stdout.write(f"{name:34s} {score(net.eval(), cases)} ({seconds:.0f} s)\n")
        sys.stdout.flush()


def test_cases(data: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return fixed crops: kind, uint8 (192, 192, 3), labels."""
    rng = np.random.default_rng(7)
    cases = []
    for source, count in (("dsb2018", 16), ("usiigaci", 6)):
        pictures = read_source(data / source, "val")
        for i in np.linspace(0, len(pictures) - 1, count).astype(int):
            cases.append((source, *crop(pictures[i], rng, 192, 30.0)))
    for _ in range(16):
        scene = draw_scene(rng, 192)
        cases.append(("drawn", (scene.image * 255).astype(np.uint8), scene.labels))
    return cases


@torch.inference_mode()
def score(net: torch.nn.Module, cases: list[tuple[str, np.ndarray, np.ndarray]]) -> str:
    """Return the figures of one network as text."""
    rows: dict[str, list] = {}
    apart = pairs = 0
    hues: list[np.ndarray] = []
    for kind, rgb, labels in cases:
        low, high = np.percentile(rgb, (0.1, 99.9))
        unit = np.clip((rgb - low) / max(float(high - low), 1), 0, 1)
        pixels = torch.from_numpy(unit.astype(np.float32)).permute(2, 0, 1)[None]
        values = ((net(pixels * 2 - 1)[0] + 1) * 127.5).clamp(0, 255).permute(1, 2, 0)
        coloring = Coloring.from_array(values.contiguous().numpy())

        hues.append(hue(coloring.values, labels))

        found = click_labels(answerer(coloring), labels, most=20)
        rows.setdefault(kind, []).extend(found)

        def tolerance(label, coloring=coloring, labels=labels):  # type: ignore[no-untyped-def]
            return coloring.probe([interior_point(labels == label)]).tolerance

        told, all_pairs = touching_score(coloring.values, labels, tolerance)
        apart, pairs = apart + told, pairs + all_pairs
    cells = [f"{kind} {summary(found)['centre']:.3f}" for kind, found in rows.items()]
    found, wanted = np.concatenate(hues, 1)
    return (
        " ".join(cells)
        + f" touching {apart / max(pairs, 1):.2f} of {pairs}"
        + f" hue {np.corrcoef(found, wanted)[0, 1]:.2f}"
    )


def hue(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return colours less their grey inside objects, found and wanted: (2, n)."""
    target = harmonic_target(torch.from_numpy(labels.astype(np.int64))[None], 96.0)
    wanted = target[0].permute(1, 2, 0).numpy()
    inside = labels > 0
    return np.stack(
        [(x - x.mean(-1, keepdims=True))[inside].ravel() for x in (values, wanted)]
    )


if __name__ == "__main__":
    main()
