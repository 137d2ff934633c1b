"""Drawn scenes: which object hides which, and the grain of the noise over them."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from napari_gen2seg.train.synthetic import KINDS
from napari_gen2seg.train.synthetic.canvas import Canvas, unhidden
from napari_gen2seg.train.synthetic.degrade import Wear, wear
from napari_gen2seg.train.synthetic.shapes import blobs, super_profiles


def discs(columns, radii, order=None):
    count = len(columns)
    center = np.stack([np.full(count, 30.0), columns], 1)
    sides = np.repeat(np.array(radii, float)[:, None], 2, 1)
    outline = super_profiles(count, 2.0)
    return blobs((60, 60), center, sides, np.zeros(count), outline, order=order)


def test_small_objects_lie_on_top_unless_an_order_is_given():
    columns, radii = [24.0, 38.0], [5.0, 14.0]
    seen = []
    for order in (None, np.array([0, 1]), np.array([7.5, 2])):
        canvas = Canvas((60, 60))
        canvas.claim(discs(columns, radii, order))
        seen.append(int(canvas.labels[30, 26]))
    assert seen == [1, 2, 1]


def test_objects_hidden_by_others_are_dropped():
    at = discs([30.0, 30.0, 50.0], [5.0, 14.0, 6.0], np.array([0, 1, 2]))
    assert set(unhidden(at, (60, 60)).owner) == {1, 2}
    # As a part of the large one, the small one stays.
    assert set(unhidden(at, (60, 60), np.array([1, 1, 2])).owner) == {0, 1, 2}
    half = discs([24.0, 38.0], [5.0, 14.0], np.array([0, 1]))
    assert set(unhidden(half, (60, 60)).owner) == {0, 1}


@pytest.mark.parametrize("kind", ["particles", "powder", "piles", "dead leaves"])
def test_large_objects_hide_parts_of_small_ones_in_some_scenes(kind):
    orders = []

    def spy(at, shape, group=None):
        orders.append(kind)
        return unhidden(at, shape, group)

    module = importlib.import_module(KINDS[kind].draw.__module__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "unhidden", spy)
        for seed in range(16):
            KINDS[kind].draw(np.random.default_rng(seed), (48, 48))
    assert 3 <= len(orders) <= 13


def test_noise_is_as_strong_as_told_and_mostly_coarse():
    how = Wear(blur=0.6, noise=0.03, uneven=0, low_contrast=0, invert=0, tint=0, dim=0)
    halves = np.full((96, 96, 1), 0.2)
    halves[48:] = 0.8
    strength, fine = [], []
    for seed in range(150):
        gray = wear(np.random.default_rng(seed), halves, how)[..., 0]
        # Stray light and dust hardly change most of the differences along rows.
        steps = [np.sort(np.abs(gray[:, n:] - gray[:, :-n]).ravel()) for n in (1, 4)]
        near, far = (step[: int(0.9 * len(step))].mean() + 1e-6 for step in steps)
        strength.append(far / 0.97)
        fine.append(near / far)
    assert 0.005 < np.median(strength) < 0.02
    assert np.quantile(strength, 0.95) < 0.1
    # White noise differs as much from one neighbour as from any other.
    assert 0.35 < np.mean(np.array(fine) < 0.85) < 0.85
