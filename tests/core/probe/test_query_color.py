"""The colour that a click means, where it is hard to say."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.core.probe.query_color import query_colors
from napari_gen2seg.core.probe.sharpen import SharpMap


def test_a_colour_is_found_where_the_mean_resembles_none() -> None:
    # Three colours, each 39 from the others: their mean is 22.5 from all of them.
    side = 39 / np.sqrt(2)
    colors = 100 + side * np.eye(3)
    rng = np.random.default_rng(0)
    map_ = SharpMap(colors[rng.integers(3, size=(40, 40))].astype(np.float32))
    map_.ensure((0, 0, 40, 40))
    map_.sharp[:] = map_.planes  # as it may come out, whatever sharpening does here
    clicks = np.argwhere(np.ones((40, 40), bool))
    found = query_colors(map_, clicks, 2.0)
    assert np.isfinite(found).all()
    assert found.min() > 95 and found.max() < 135
