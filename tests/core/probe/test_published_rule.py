"""The published rule gives the published masks, bit for bit.

`probe_0` to `probe_4` were made with the published code. `probe_5` to `probe_8` are
drawn maps (`benchmarks/drawn_maps.py`) with the masks of the published recipe, in torch
and OpenCV, where the last bit of the query colour decides about a pixel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import ProbeSettings
from napari_gen2seg.core.probe.published_rule import PaperRule

GOLDEN = sorted((Path(__file__).parents[2] / "data").glob("probe_*.npz"))


def test_the_golden_files_are_there() -> None:
    assert len(GOLDEN) == 9


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_masks_are_identical(path: Path) -> None:
    golden = np.load(path)
    coloring = Coloring.from_array(golden["color_map"])
    for (x, y), sigma, threshold, expected in zip(
        golden["points_xy"],
        golden["sigma"],
        golden["threshold"],
        golden["masks"],
        strict=True,
    ):
        settings = ProbeSettings(
            rule="paper", sigma=float(sigma), threshold=int(threshold)
        )
        mask = coloring.probe([(y, x)], settings=settings)
        np.testing.assert_array_equal(mask.array, expected)


def test_several_points_take_the_larger_similarity() -> None:
    golden = np.load(GOLDEN[4])
    rule = PaperRule(golden["color_map"])
    pixels = golden["points_xy"][:2, ::-1]
    both = rule.probe(pixels, 0.01, 3)
    either = rule.probe(pixels[:1], 0.01, 3) | rule.probe(pixels[1:], 0.01, 3)
    # A maximum before smoothing can only add to what each point gives alone.
    assert not (either & ~both).any()
    assert both.sum() > rule.probe(pixels[:1], 0.01, 3).sum()


def test_one_flat_colour_is_one_object() -> None:
    coloring = Coloring.from_array(np.full((16, 20, 3), 90, np.uint8))
    mask = coloring.probe([(3, 4)], settings=ProbeSettings(rule="paper"))
    assert mask.array.shape == (16, 20)
