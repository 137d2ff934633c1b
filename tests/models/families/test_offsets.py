"""The family offsets: instances beside the map, and looks at the sizes it needs."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.helpers.hits import recall_and_precision
from tests.helpers.knowing_net import KnowingNet, discs, knowing_colorer

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.models.networks.offset_looks import Look, join_looks
from napari_gen2seg.models.networks.offset_painting import paint_waves

GRID = [(r, c, 26) for r in range(50, 460, 90) for c in range(50, 460, 90)]


def image_of(labels: np.ndarray) -> np.ndarray:
    return np.where(labels > 0, 200, 0).astype(np.uint8)


def seen(labels: np.ndarray) -> tuple[Coloring, list[tuple[int, int]]]:
    net = KnowingNet()
    return knowing_colorer(net).color(image_of(labels)), net.looks


def test_one_look_is_enough_at_the_liked_size() -> None:
    labels = discs((512, 512), *GRID)
    coloring, looks = seen(labels)
    assert looks == [(512, 512)] and coloring.resolution == 512
    assert coloring.instances is not None and len(coloring.instances) == len(GRID)
    assert recall_and_precision(labels, coloring.propose(), 0.8) == (1, 1)


@pytest.mark.parametrize(("side", "radius"), [(192, 5), (700, 20), (1500, 160)])
def test_a_further_look_brings_objects_to_the_liked_size(
    side: int, radius: int
) -> None:
    step = 3 * radius
    places = range(2 * radius, side - radius, step)[:6]
    labels = discs((side, side), *[(r, c, radius) for r in places for c in places])
    coloring, looks = seen(labels)
    assert looks[0] == (512, 512) and len(looks) == 2
    assert 2 * radius * looks[-1][0] / side == pytest.approx(52, rel=0.25)
    assert recall_and_precision(labels, coloring.propose(), 0.8) == (1, 1)


SMALL = [(r, c, 24) for r in range(40, 500, 70) for c in (40, 110, 180)]
TWO_SIZES = discs((512, 512), *SMALL, (130, 360, 80), (380, 360, 80))


def test_many_large_objects_are_looked_at_from_farther_away() -> None:
    net = KnowingNet(most=170)
    coloring = knowing_colorer(net).color(image_of(TWO_SIZES))
    assert net.looks[0] == (512, 512) and len(net.looks) == 2
    assert max(net.looks[1]) < 256 and coloring.resolution == 512
    assert recall_and_precision(TWO_SIZES, coloring.propose(), 0.8) == (1, 1)


def look(resolution: int) -> Look:
    gray = torch.from_numpy(image_of(TWO_SIZES) / np.float32(255))
    fields = knowing_colorer()._fields(gray.expand(1, 3, -1, -1), resolution)[0]
    return Look.of(resolution, fields.permute(1, 2, 0).numpy())


def test_what_is_in_pieces_from_near_is_taken_from_farther_away() -> None:
    near, far = look(512), look(160)
    assert len(near.instances) > len(SMALL) + 10 and len(far.instances) == 2
    joined = join_looks([far, near])
    found = joined.instances
    assert joined.resolution == 512 and len(found) == len(SMALL) + 2
    assert recall_and_precision(TWO_SIZES, found.labels, 0.8) == (1, 1)
    # The map says the same as the instances, wherever it is clicked.
    ends, logit = torch.from_numpy(joined.ends), torch.from_numpy(joined.logit)
    values = (
        paint_waves(ends[None], logit[None, None], 96.0)[0].permute(1, 2, 0).numpy()
    )
    coloring = Coloring.from_array(values)
    for number, point in ((1, (40, 40)), (len(SMALL) + 1, (110, 340))):
        mask = coloring.probe([point]).full()
        assert iou(mask, number == TWO_SIZES) > 0.8, number
    large = values[len(SMALL) + 1 == TWO_SIZES]
    assert np.median(np.abs(large - np.median(large, axis=0))) < 5


def test_a_size_that_somebody_asks_for_is_the_only_one() -> None:
    net = KnowingNet()
    coloring = knowing_colorer(net).color(image_of(discs((512, 512), *GRID)), 256)
    assert net.looks == [(256, 256)] and coloring.resolution == 256


def test_nothing_in_sight_is_no_instance() -> None:
    coloring, looks = seen(discs((200, 300), (100, 150, 4)))
    assert len(looks) == 1 and len(coloring.instances) == 0
    assert coloring.propose().max() == 0


def test_instances_are_saved_and_travel(tmp_path: Path) -> None:
    coloring, _ = seen(discs((512, 512), *GRID))
    loaded = Coloring.load(coloring.save(tmp_path / "map.tif"))
    for copy in (loaded, pickle.loads(pickle.dumps(coloring))):  # noqa: S301
        assert copy.key == coloring.key
        assert not copy.instances.labels.flags.writeable
        np.testing.assert_array_equal(copy.instances.labels, coloring.instances.labels)
        np.testing.assert_array_equal(copy.instances.scores, coloring.instances.scores)
        np.testing.assert_array_equal(copy.propose(), coloring.propose())


def test_candidates_are_the_instances_unless_the_map_is_asked() -> None:
    coloring, _ = seen(discs((512, 512), *GRID))
    found = coloring.candidates()
    assert len(found) == len(GRID) and np.isnan(found.brightness).all()
    assert found.answers(ProposalSettings(min_score=0.5))
    assert not found.answers(ProposalSettings(tolerance=20.0))
    probed = coloring.candidates(ProposalSettings(tolerance=20.0))
    assert not np.isnan(probed.brightness).any()


def test_fragments_are_no_proposals() -> None:
    labels = discs((512, 512), *GRID[:-1])
    labels[440:446, 440:446] = len(GRID)
    net = KnowingNet(least=4)
    coloring = knowing_colorer(net).color(image_of(labels))
    assert len(coloring.instances) == len(GRID)
    assert len(np.unique(coloring.propose())) - 1 == len(GRID) - 1
