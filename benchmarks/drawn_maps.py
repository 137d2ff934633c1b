"""Colouring maps drawn by rule, with labels: what a good model would answer.

Distinct colours on black, blur, noise fine and coarse, and colours that drift
inside an object. Used by the benchmarks and by the tests of the probe.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import KDTree

Labels = npt.NDArray[np.int32]


def blobs(size: int = 256, count: int = 60, seed: int = 0) -> Labels:
    """Draw ellipses of many sizes that touch and overlap; int32 (size, size)."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.int32)
    scale = size / 384
    for label in range(1, count + 1):
        row, col = rng.random(2) * size
        long, short = rng.uniform(6, 34, 2) * scale
        turn = rng.random() * np.pi
        reach = int(np.ceil(max(long, short))) + 1
        r0, c0 = max(int(row) - reach, 0), max(int(col) - reach, 0)
        rows, cols = np.ogrid[r0 : int(row) + reach, c0 : int(col) + reach]
        along = (rows - row) * np.cos(turn) + (cols - col) * np.sin(turn)
        across = (cols - col) * np.cos(turn) - (rows - row) * np.sin(turn)
        inside = (along / long) ** 2 + (across / short) ** 2 < 1
        window = labels[r0 : int(row) + reach, c0 : int(col) + reach]
        window[inside[: window.shape[0], : window.shape[1]]] = label
    return labels


def tissue(size: int = 256, count: int = 60, seed: int = 0) -> Labels:
    """Draw cells that fill the frame and touch everywhere."""
    rng = np.random.default_rng(seed)
    centers = rng.random((count, 2)) * size
    pixels = np.stack(np.mgrid[:size, :size], -1).reshape(-1, 2)
    nearest = KDTree(centers).query(pixels)[1]
    return np.asarray(nearest.reshape(size, size) + 1, np.int32)


def filaments(size: int = 256, count: int = 12, seed: int = 0) -> Labels:
    """Draw wires, two to five pixels wide, that bend and cross."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.int32)
    for label in range(1, count + 1):
        turn = np.cumsum(rng.normal(0, 0.03, 3 * size)) + rng.random() * 2 * np.pi
        path = np.cumsum(np.stack([np.sin(turn), np.cos(turn)], 1) * 0.5, axis=0)
        path = np.rint(path - path[len(path) // 2] + rng.random(2) * size).astype(int)
        path = path[((path >= 0) & (path < size)).all(axis=1)]
        line = np.zeros((size, size), bool)
        line[path[:, 0], path[:, 1]] = True
        line = ndimage.binary_dilation(line, iterations=int(rng.integers(1, 3)))
        labels[line] = label
    return labels


def rings(size: int = 256, count: int = 14, seed: int = 0) -> Labels:
    """Draw hollow cells, three to six pixels thick, that may overlap."""
    rng = np.random.default_rng(seed)
    rows, cols = np.ogrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for label in range(1, count + 1):
        row, col = rng.random(2) * size
        radius, width = rng.uniform(10, size / 8), rng.uniform(3, 6)
        labels[abs(np.hypot(rows - row, cols - col) - radius) < width / 2] = label
    return labels


def paint(
    labels: Labels,
    seed: int = 0,
    *,
    noise: float = 3.0,
    coarse: float = 3.0,
    blur: float = 1.0,
    drift: float = 0.0,
) -> npt.NDArray[np.float32]:
    """Give every object a colour of its own on black, then spoil it.

    Parameters
    ----------
    labels
        int (h, w), 0 = background.
    seed
        Decides colours and noise.
    noise, coarse
        Standard deviation of pixel noise and of noise some pixels wide.
    blur
        Sigma in pixels.
    drift
        Standard deviation of slow changes inside objects.

    Returns
    -------
    numpy.ndarray
        float32 (h, w, 3) in 0..255.
    """
    rng = np.random.default_rng(seed)
    colors = rng.uniform(30, 255, (int(labels.max()) + 1, 3))
    # At least one channel is bright, so that no object looks like background.
    colors[np.arange(len(colors)), rng.integers(0, 3, len(colors))] = rng.uniform(
        160, 255, len(colors)
    )
    colors[0] = 0
    picture = colors[labels]
    shape = picture.shape

    def slow(width: float, strength: float) -> npt.NDArray[np.float64]:
        wave = ndimage.gaussian_filter(rng.normal(size=shape), (width, width, 0))
        return np.asarray(wave * (strength / wave.std()))

    if drift:
        picture += slow(12.0, drift) * (labels > 0)[..., None]
    if blur:
        picture = ndimage.gaussian_filter(picture, (blur, blur, 0))
    if coarse:
        picture += slow(2.0, coarse)
    picture += rng.normal(scale=noise, size=shape) if noise else 0.0
    return np.clip(picture, 0, 255).astype(np.float32)
