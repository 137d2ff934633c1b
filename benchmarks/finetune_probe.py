"""The learned probe fine-tuned on a few labeled images: what it brings, on others.

    python benchmarks/finetune_probe.py DATA [--sets ampis_powder usiigaci] [--images 3]

Of each set's validation part the first images are learned from, for ``--minutes`` of
processor time, the map staying as it is, and clicks are tried on others: mean IoU after
1 to 5 clicks, by similarity, by the probe that ships, and by the fine-tuned one. What
fine-tuning the map brings is in `finetune.py`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.corrections import SHOWN, pick

from napari_gen2seg import load_model, load_probe
from napari_gen2seg.core.learned_probe.probe import Probe
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.io.formats.writers import write_labels, write_rgb
from napari_gen2seg.metrics.click_protocol import answerer, click_steps, object_labels
from napari_gen2seg.models.probes import _FOLDERS, load_shown_probe
from napari_gen2seg.train.mini.config import DataConfig
from napari_gen2seg.train.mini.probe_stage import (
    ClickedObjects,
    ProbeConfig,
    next_loss,
)


def finetuned(
    images: list[Annotated], model: str, minutes: float, rate: float
) -> tuple[Probe, int]:
    """Return the probe that ships after some minutes on images, and its steps."""
    colorer = load_model(model, "cpu")
    shown = load_shown_probe(_FOLDERS["mini"])
    net = shown.net.requires_grad_(True)
    sizes = [
        np.sqrt(np.count_nonzero(image.labels == n) * 4 / np.pi)
        for image in images
        for n in object_labels(image.labels)
    ]
    typical = float(np.median(sizes))
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "few"
        for place, image in enumerate(images):
            for part in ("images", "labels"):
                (folder / part).mkdir(parents=True, exist_ok=True)
            write_rgb(folder / "images" / f"{place}.png", as_bytes(image.image))
            write_labels(folder / "labels" / f"{place}.tif", image.labels)
        data = DataConfig(
            root=home, sources={"few": 1.0}, drawn=0.0, crop=192,
            smallest=20.0, largest=130.0, workers=0,
        )  # fmt: skip
        config = ProbeConfig(data=data, objects=8, batch=24)
        objects = ClickedObjects(config, [colorer], 0)
        optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
        begun, step = time.process_time(), 0
        while (spent := (time.process_time() - begun) / 60) < minutes:
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - spent / minutes)
            loss, _ = next_loss(shown, objects)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step += 1
        shutil.rmtree(folder)
    net.eval().requires_grad_(False)
    print(f"  objects of {typical:.0f} pixels, {step} steps", flush=True)

    def predict(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            logits, quality = shown(torch.from_numpy(channels))
        return logits.numpy(), quality.numpy()

    return Probe(predict, "fine-tuned"), step


def as_bytes(image: np.ndarray) -> np.ndarray:
    """Return an image as uint8 (H, W, 3)."""
    rgb = image if image.ndim == 3 else np.repeat(image[..., None], 3, -1)
    if rgb.dtype == np.uint8:
        return rgb
    low, high = np.percentile(rgb, (0.1, 99.9))
    scaled = (rgb.astype(np.float64) - low) / max(high - low, 1e-9)
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def main() -> None:
    """Print a table a set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["ampis_powder", "usiigaci"])
    parser.add_argument("--images", type=int, default=3, help="to learn from")
    parser.add_argument("--others", type=int, default=3, help="to try on")
    parser.add_argument("--most", type=int, default=12, help="objects an image")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--model", default="mini")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = load_model(chosen.model, "cpu")
    for name in chosen.sets:
        images = pick(chosen.data, name, chosen.images + chosen.others)
        few, others = images[: chosen.images], images[chosen.images :]
        print(f"{name}: {len(few)} images to learn from, {len(others)} to try on")
        tuned, _ = finetuned(few, chosen.model, chosen.minutes, chosen.rate)
        ways = {"similarity": None, "learned": load_probe(), "fine-tuned": tuned}
        for way, probe in ways.items():
            means = np.zeros(SHOWN)
            count = 0
            for image in others:
                coloring = model.color(image.image)
                answer = answerer(coloring, probe=probe)
                for number in object_labels(image.labels, most=chosen.most):
                    steps = click_steps(
                        answer, image.labels == number, cap=SHOWN, least=SHOWN
                    )
                    reached = [step.iou for step in steps][:SHOWN]
                    means += reached + [reached[-1]] * (SHOWN - len(reached))
                    count += 1
            told = " ".join(f"{mean:.3f}" for mean in means / max(count, 1))
            print(f"  {way:11} {told}  ({count} objects)", flush=True)


if __name__ == "__main__":
    main()
