"""Crops of drawn scenes, as they would be cut from real images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.map.object_size import median_diameter
from napari_gen2seg.io.annotated import unlabeled_is_unknown
from napari_gen2seg.models.networks.tensors import resize, to_tensor
from napari_gen2seg.train.data.augment import stretch
from napari_gen2seg.train.data.window import Crop, window
from napari_gen2seg.train.synthetic import draw_scene
from napari_gen2seg.train.synthetic.tidy import tidy

Rgb = NDArray[np.float32]

# Pictures are brought to the size that the model likes before it sees them; only its
# first look meets objects of any size.
_RESIZED = 0.75
_ENLARGE = 2.2  # more turns grain into blotches


def drawn_crop(
    rng: np.random.Generator, size: int, smallest: float, largest: float
) -> Crop:
    """Draw a scene and cut a crop from it in which objects have a random size.

    Parameters
    ----------
    rng
        The crop depends on it alone.
    size
        Side of the crop in pixels.
    smallest, largest
        Limits of the typical object's diameter in pixels, for most of the crops.

    Returns
    -------
    Crop
        float32 (size, size, 3) in 0..1, and int32 (size, size) with 0 background and
        -1 unknown.
    """
    if rng.random() >= _RESIZED:
        scene = draw_scene(rng, size)
        rgb = _as_in_a_picture(scene.image, rng)
        return Crop(rgb, _known(scene.labels, scene.complete))
    scene = draw_scene(rng, round(size * rng.uniform(1.2, 2.0)))
    drawn, side = median_diameter(scene.labels), len(scene.labels)
    wanted = math.exp(rng.uniform(math.log(smallest), math.log(largest)))
    scale = min(max(wanted / drawn, size / side), _ENLARGE)
    whole = round(size / scale)
    objects = np.unique(scene.labels[scene.labels > 0])
    rows, columns = window(scene.labels, (whole, whole), rng, objects)
    pixels = resize(to_tensor(scene.image[rows, columns]), (size, size))
    labels = scene.labels[rows, columns]
    at = ((np.arange(size) + 0.5) * len(labels) / size).astype(int)
    labels = tidy(labels[at[:, None], at], whole=scene.whole, fill=False)
    rgb = pixels[0].permute(1, 2, 0).numpy().clip(0, 1)
    return Crop(_as_in_a_picture(rgb, rng), _known(labels, scene.complete))


def _known(labels: Int32Array, complete: bool) -> Int32Array:
    return labels if complete else unlabeled_is_unknown(labels)


def _as_in_a_picture(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Stretch a crop as a part of an image whose range is wider, if it is gray."""
    if np.ptp(rgb, axis=-1).max() >= 0.02:
        return stretch(rgb, rng)
    low, high = (float(v) for v in np.percentile(rgb[::2, ::2], (0.3, 99.7)))
    # Crops of real grey pictures use .2 to .95 of their picture's range.
    share = min(math.exp(rng.uniform(math.log(0.4), math.log(1.1))), 1.0)
    more, below = (high - low) * (1 / share - 1), rng.uniform()
    return stretch(rgb, rng, (low - below * more, high + (1 - below) * more))
