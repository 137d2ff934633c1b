"""Drawn adherent cells: slender, and hardly darker or lighter than their ground."""

from __future__ import annotations

import numpy as np
from skimage.measure import regionprops

from napari_gen2seg.train.synthetic import KINDS
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.degrade import Wear, wear
from napari_gen2seg.train.synthetic.tidy import tidy

CLEAN = [
    KINDS["adherent cells"].draw(np.random.default_rng(seed), (160, 160))
    for seed in range(12)
]


def solidity(canvas: Canvas) -> list[float]:
    labels = tidy(canvas.labels, whole=False, fill=False)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    cut = set(edge.tolist())
    return [
        region.solidity
        for region in regionprops(labels)
        if region.label not in cut and region.area >= 150
    ]


def test_their_outlines_are_drawn_in():
    shapes = np.concatenate([solidity(canvas) for canvas in CLEAN])
    assert len(shapes) > 30
    assert np.median(shapes) < 0.85
    assert np.quantile(shapes, 0.1) < 0.7


def test_their_insides_are_mostly_as_bright_as_the_ground():
    gaps = []
    for canvas in CLEAN:
        gray, inside = canvas.image[..., 0], canvas.labels > 0
        gap = abs(np.median(gray[inside]) - np.median(gray[~inside]))
        gaps.append(gap / np.ptp(np.quantile(gray, [0.003, 0.997])))
    assert np.median(gaps) < 0.12


def test_their_scenes_are_as_faint_as_real_ones():
    spread = np.array([canvas.image.std() for canvas in CLEAN])
    assert spread.min() > 0.01
    assert spread.max() < 0.11
    assert spread.max() > 2 * spread.min()


def test_stray_light_does_not_drown_a_faint_picture():
    calm = Wear(noise=0, uneven=0, low_contrast=0, invert=0, tint=0, coarse=0, dim=0)
    sign = np.sign(np.random.default_rng(0).standard_normal((16, 16)))
    faint = 0.5 + 0.02 * np.kron(sign, np.ones((6, 6)))[..., None]
    for seed in range(60):
        gray = wear(np.random.default_rng(seed), faint, calm).mean(2)
        broad = gray.reshape(4, 24, 4, 24).mean((1, 3))
        assert broad.std() < 0.85 * gray.std()
