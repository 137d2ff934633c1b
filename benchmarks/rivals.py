"""Classical methods that answer a click, for comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from skimage.color import rgb2gray
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import flood, random_walker, watershed

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.matching import iou

Points = Sequence[tuple[int, int]]


class Wand:
    """The product's own probe on the raw colours: what the map adds is the rest."""

    def __init__(self, picture: Annotated) -> None:
        self.coloring = Coloring.from_array(picture.image.astype(np.float32))

    def __call__(self, points: Points, signs: Sequence[int]) -> np.ndarray:
        return self.coloring.probe(points, signs).full()


class Oracle:
    """Magic wand whose tolerance is chosen per object with the ground truth."""

    needs_truth = True

    def __init__(self, picture: Annotated) -> None:
        self.values = picture.image.astype(np.float32)
        self.labels = picture.labels

    def __call__(self, points: Points, signs: Sequence[int]) -> np.ndarray:
        row, col = points[0]
        truth = self.labels == self.labels[row, col]
        near = self.values[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
        distance = np.linalg.norm(
            self.values - np.median(near.reshape(-1, 3), axis=0), axis=-1
        )
        distance[row, col] = 0
        best, found = -1.0, truth & False
        for tolerance in 4.0 * 1.25 ** np.arange(19):
            mask = flood(distance <= tolerance, (row, col))
            score = iou(mask, truth)
            if score > best:
                best, found = score, mask
        return found


class Otsu:
    """Otsu's threshold, then watershed of the distance transform; both polarities.

    The polarity is the one in which the bright part is the smaller.
    """

    def __init__(self, picture: Annotated) -> None:
        gray = rgb2gray(picture.image)
        if np.ptp(gray) == 0:
            self.labels = np.zeros(gray.shape, int)
            return
        bright = gray > threshold_otsu(gray)
        if bright.mean() > 0.5:
            bright = ~bright
        bright = ndimage.binary_fill_holes(bright)
        depth = ndimage.distance_transform_edt(bright)
        smooth = ndimage.gaussian_filter(depth, 1)
        peaks = peak_local_max(smooth, min_distance=5, labels=ndimage.label(bright)[0])
        seeds = np.zeros(gray.shape, int)
        seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        self.labels = watershed(-smooth, seeds, mask=bright)

    def __call__(self, points: Points, signs: Sequence[int]) -> np.ndarray:
        label = self.labels[points[0]]
        mask = (self.labels == label) if label else np.zeros(self.labels.shape, bool)
        mask[points[0]] = True
        return mask


class RandomWalker:
    """Random walker from the click against the rim of a window around it.

    The window's half side is two typical object diameters of the picture.
    """

    def __init__(self, picture: Annotated) -> None:
        self.gray = rgb2gray(picture.image)
        self.half = int(np.clip(2 * picture.diameter, 12, 120))

    def __call__(self, points: Points, signs: Sequence[int]) -> np.ndarray:
        row, col = points[0]
        top, left = max(row - self.half, 0), max(col - self.half, 0)
        crop = self.gray[top : row + self.half + 1, left : col + self.half + 1]
        seeds = np.full(crop.shape, 0)
        seeds[[0, -1]] = 2
        seeds[:, [0, -1]] = 2
        r, c = row - top, col - left
        seeds[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2] = 1
        out = np.zeros(self.gray.shape, bool)
        found = random_walker(crop, seeds, beta=1000, mode="cg_j", tol=1e-2)
        out[top : top + crop.shape[0], left : left + crop.shape[1]] = found == 1
        return out
