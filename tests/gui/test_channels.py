"""Channels of a microscope and colour pictures: each as bright as it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_gen2seg.core.image.rgb import to_rgb

BRIGHT = np.array([20000, 15000, 400], np.float64)


def scene() -> np.ndarray:
    return (np.random.default_rng(0).uniform(0, 1, (64, 64, 3)) * BRIGHT).astype("u2")


def seen(at: Any) -> np.ndarray:
    """Return how bright red, green and blue are in what the model sees."""
    request = at.bridge.source.request()
    return np.percentile(to_rgb(request.read(), request.recipe), 99, axis=(0, 1))


def test_a_dim_channel_of_a_stack_is_seen(desk: Any) -> None:
    at = desk(np.moveaxis(scene(), -1, 0))
    at.bridge.source.change(channel_axis=0)
    assert seen(at).min() > 0.95


def test_a_dim_layer_among_three_is_seen(desk: Any) -> None:
    red, green, blue = np.moveaxis(scene(), -1, 0)
    at = desk(red)
    others = [at.viewer.add_image(one).unique_id for one in (green, blue)]
    at.bridge.source.choose(at.viewer.layers[0])
    recipe = at.bridge.source.options.recipe
    at.bridge.source.change(partners=tuple(map(str, others)), recipe=recipe)
    assert seen(at).min() > 0.95


def test_a_colour_picture_keeps_its_colours(desk: Any) -> None:
    at = desk(scene(), rgb=True)
    assert seen(at)[0] > 0.95
    assert seen(at)[2] < 0.05
