"""A colorer that needs no network: it paints what a threshold finds."""

from __future__ import annotations

import colorsys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.filters import gaussian, threshold_otsu
from skimage.segmentation import watershed
from skimage.transform import resize

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.models.base_colorer import check_passes


def paint(rgb: np.ndarray) -> np.ndarray:
    """Paint each bright blob in a hue of its own on black; float (H, W, 3) 0..255."""
    gray = gaussian(rgb.mean(axis=-1), 2)
    gray = gray - gaussian(gray, max(rgb.shape[:2]) / 8)
    front = ndimage.binary_fill_holes(gray > threshold_otsu(gray))
    depth = gaussian(ndimage.distance_transform_edt(front), 2)
    peaks = (ndimage.maximum_filter(depth, 21) == depth) & (depth > 3)
    labels = watershed(-depth, ndimage.label(peaks)[0], mask=front)
    hues = [
        colorsys.hsv_to_rgb((7 * i * 0.618) % 1, 0.9, 1.0)
        for i in range(labels.max() + 1)
    ]
    table = np.array(hues) * 255
    table[0] = 0
    colors = table[labels]
    return np.stack(
        [ndimage.gaussian_filter(colors[..., i], 0.7) for i in range(3)], -1
    )


class Painter:
    """Stands in for a loaded model; remembers how often it was asked."""

    device, dtype = "cpu", "float32"
    reason = "This computer has no GPU that torch can use."
    notes: tuple[str, ...] = ()
    spec = SimpleNamespace(id="painter")

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []
        self.unloaded = False

    def color(
        self,
        image: Any,
        resolution: int | None = None,
        *,
        passes: int = 1,
        progress: Any = None,
        cancel: Any = None,
    ) -> Coloring:
        self.seen.append(image)
        height, width = image.shape[:2]
        size = resolution or 512
        factor = min(1.0, size / max(height, width))
        small = resize(
            image, (round(height * factor), round(width * factor)), anti_aliasing=True
        )
        if progress is not None:
            progress(0.5, "Painting")
        made = Coloring.from_array(
            np.clip(paint(small), 0, 255), (height, width), model_id="painter"
        )
        more = None
        if passes > 1:
            mirrored = [
                np.flip(np.clip(paint(np.flip(small, axes)), 0, 255), axes)
                for axes in check_passes(passes)
            ]
            more = np.concatenate(mirrored, axis=-1)
        return replace(made, resolution=size, on_black=True, more=more)

    def unload(self) -> None:
        self.unloaded = True
