"""A plain U-Net with a border target, trained on what mini's map is trained on.

    python benchmarks/unet_rival.py DATA OUT.pt --minutes 60

It is `SmallUnet` of ``finetune_rivals.py`` (0.5 million values, from nothing), on the
stream of crops of ``configs/map.toml``: the same sets, drawn scenes, sizes and light.
Killed, it goes on from OUT.pt; the last fifth of the time lowers the rate to nothing.
``propose.py --unet OUT.pt`` shows it beside the map; it is told the true size of the
objects of every image, which the map is not.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.finetune_rivals import IGNORED, SmallUnet, classes, components

from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.models.networks.tensors import pad, resize, to_tensor
from napari_gen2seg.train.mini.config import DataConfig
from napari_gen2seg.train.mini.dataset import Crops, loader

CONFIG = Path(__file__).resolve().parents[1] / "configs/map.toml"
DIAMETER = 52.0
LONGEST = 1536
BATCH = 8
RATE = 1e-3
DECAY = 0.2  # of the time, at its end


def train(data: Path, out: Path, minutes: float) -> None:
    """Train until the processor minutes are over, with those of earlier calls."""
    settings = tomllib.loads(CONFIG.read_text())["data"]
    net = SmallUnet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    step, spent = 0, 0.0
    if out.is_file():
        state = torch.load(out, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["seconds"]
    crops = Crops(DataConfig(**{**settings, "root": str(data)}), seed=step)
    losses: list[float] = []
    begun = saved = time.process_time()
    for batch in loader(crops, BATCH, 0):
        now = time.process_time()
        left = 1 - (spent + now - begun) / (60 * minutes)
        if left <= 0 or now - saved > 120:
            state = {
                "net": net.state_dict(), "optimizer": optimizer.state_dict(),
                "step": step, "seconds": spent + now - begun,
            }  # fmt: skip
            torch.save(state, out.with_suffix(".part"))
            out.with_suffix(".part").replace(out)
            saved = now
            loss_now = np.mean(losses[-200:])
            say(f"step {step} loss {loss_now:.3f} {spent + now - begun:.0f} s")
        if left <= 0:
            return
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, left / DECAY)
        wanted = np.stack([classes(one) for one in batch["labels"].numpy()])
        loss = F.cross_entropy(
            net((batch["pixels"] + 1) / 2),
            torch.from_numpy(wanted),
            ignore_index=IGNORED,
            weight=torch.tensor([1.0, 2.0, 1.0]),
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1


class Rival:
    """What the trained net finds: connected insides, grown over their border."""

    def __init__(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.minutes = state["seconds"] / 60
        self.net = SmallUnet()
        self.net.load_state_dict(state["net"])
        self.net.eval()

    @torch.no_grad()
    def __call__(self, image: Annotated) -> np.ndarray:
        """Return labels int64 (H, W) of an image uint8 (H, W, 3)."""
        pixels = to_tensor(image.image.astype(np.float32) / 255)
        longest = max(image.labels.shape)
        scale = min(DIAMETER / image.diameter, LONGEST / longest)
        height, width = (max(8, round(n * scale)) for n in image.labels.shape)
        small = resize(pixels, (height, width))
        chance = self.net(pad(small, 8)).softmax(1)[0, 2, :height, :width]
        return components(chance.numpy() > 0.5, image)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Train it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    train(chosen.data, chosen.out, chosen.minutes)


if __name__ == "__main__":
    main()
