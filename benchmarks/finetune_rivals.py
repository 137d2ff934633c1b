"""What a lab would train instead, with the same labels, in the same time.

`SmallUnet`: three classes (background, border, inside), from scratch, with the same
crops as fine-tuning. `Forest`: scikit-learn's random forest on scikit-image's
multiscale features of single pixels, as in ilastik. Both give connected components,
which are clicked like a colouring: the mask is the component under the click.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from skimage.segmentation import expand_labels
from torch import nn

from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.networks.tensors import resize, to_tensor
from napari_gen2seg.train.data.crops import Crops, model_resolution

FACTS = ModelConfig(
    "sd", min_resolution=192, max_resolution=1024, object_diameter=25.0, multiple=32
)
IGNORED = -1


def classes(labels: np.ndarray) -> np.ndarray:
    """Turn labels (0 background, -1 unknown) into 0, 1 border, 2 inside, -1 ignored.

    The border is one pixel of each object that lies beside something else, and two
    pixels around each object, known or not.
    """
    known = np.maximum(labels, 0)
    inside = ndimage.grey_erosion(known, (3, 3)) == ndimage.grey_dilation(known, (3, 3))
    found = np.where(labels == 0, 0, IGNORED)
    around = ndimage.grey_dilation(known, (5, 5)) > 0
    found[around] = 1
    found[(known > 0) & inside] = 2
    return found


class SmallUnet(nn.Module):
    """Four levels, 16 to 128 channels, 0.5 million values."""

    name = "U-Net"

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        before = [3, *widths[:-1]]
        self.down = nn.ModuleList(map(block, before, widths))
        self.up = nn.ModuleList(
            block(low + high, high)
            for high, low in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for number, layer in enumerate(self.down):
            x = layer(x if number == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        for layer, skip in zip(self.up, kept[-2::-1], strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear")
            x = layer(torch.cat([x, skip], 1))
        return self.head(x)

    def fit(self, pairs: Sequence[Annotated], seconds: float, seed: int) -> int:
        """Train for a time; return the steps."""
        torch.manual_seed(seed)
        crops = Crops(list(pairs), FACTS, 96, seed, share=0.0)
        optimiser = torch.optim.AdamW(self.parameters(), lr=2e-3)
        begun, step = time.monotonic(), 0
        self.train()
        while (share := (time.monotonic() - begun) / seconds) < 1:
            for group in optimiser.param_groups:
                group["lr"] = 2e-3 * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * share)))
            batch = crops.batch(step, 6)
            wanted = torch.from_numpy(
                np.stack([classes(one) for one in batch["labels"].numpy()])
            )
            loss = F.cross_entropy(
                self(batch["pixels"]), wanted, ignore_index=IGNORED,
                weight=torch.tensor([1.0, 2.0, 1.0]),
            )  # fmt: skip
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
        self.eval()
        return step

    @torch.no_grad()
    def segment(self, pair: Annotated) -> np.ndarray:
        """Return labels (H, W)."""
        pixels = small(pair)
        below, right = -pixels.shape[2] % 8, -pixels.shape[3] % 8
        padded = F.pad(pixels, (0, right, 0, below), mode="replicate")
        chance = self(padded).softmax(1)[0, :, : pixels.shape[2], : pixels.shape[3]]
        return components(chance[2].numpy() > 0.5, pair)


class Forest:
    """A hundred trees on intensity, edges and texture of single pixels."""

    name = "random forest"

    def fit(self, pairs: Sequence[Annotated], seconds: float, seed: int) -> int:
        """Train on at most 20 000 labelled pixels."""
        from sklearn.ensemble import RandomForestClassifier

        values, wanted = [], []
        for pair in pairs:
            found = features(pair)
            labels = torch.from_numpy(pair.labels)[None, None].float()
            size = found.shape[:2]
            labels = F.interpolate(labels, size, mode="nearest")[0, 0].long().numpy()
            kinds = classes(labels)
            values.append(found[kinds >= 0])
            wanted.append(kinds[kinds >= 0])
        x, y = np.concatenate(values), np.concatenate(wanted)
        chosen = np.random.default_rng(seed).permutation(len(y))[:20_000]
        self.forest = RandomForestClassifier(
            100, min_samples_leaf=2, class_weight="balanced", random_state=seed
        ).fit(x[chosen], y[chosen])
        return 100

    def segment(self, pair: Annotated) -> np.ndarray:
        """Return labels (H, W)."""
        found = features(pair)
        kinds = self.forest.predict(found.reshape(-1, found.shape[-1]))
        return components((kinds == 2).reshape(found.shape[:2]), pair)


def block(before: int, after: int) -> nn.Sequential:
    """Two convolutions with group norm."""
    layers: list[nn.Module] = []
    for width in (before, after):
        layers += [
            nn.Conv2d(width, after, 3, padding=1),
            nn.GroupNorm(8, after),
            nn.SiLU(),
        ]
    return nn.Sequential(*layers)


def small(pair: Annotated) -> torch.Tensor:
    """Return the picture at the size at which its objects measure 25 pixels."""
    height, width = pair.labels.shape
    scale = model_resolution(pair, FACTS) / max(height, width)
    shape = (max(8, round(height * scale)), max(8, round(width * scale)))
    return resize(to_tensor(pair.image), shape)


def features(pair: Annotated) -> np.ndarray:
    """Return the features (h, w, n) of the small picture."""
    from skimage.feature import multiscale_basic_features

    pixels = small(pair)[0].permute(1, 2, 0).numpy()
    return multiscale_basic_features(
        pixels.mean(-1), sigma_min=0.5, sigma_max=8, workers=1
    )


def components(inside: np.ndarray, pair: Annotated) -> np.ndarray:
    """Label connected insides, grow them over their border, at the picture's size."""
    labels = expand_labels(ndimage.label(inside)[0], 1.5)
    whole = torch.from_numpy(labels.astype(np.float32))[None, None]
    full = F.interpolate(whole, pair.labels.shape, mode="nearest")
    return full[0, 0].long().numpy()


class Clicked:
    """Clicks on labels: the component under each positive click."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels

    def __call__(self, points, signs):  # type: ignore[no-untyped-def]
        mask = np.zeros(self.labels.shape, bool)
        for (row, col), sign in zip(points, signs, strict=True):
            number = self.labels[int(row), int(col)]
            if sign > 0 and number:
                mask |= self.labels == number
        return mask
