"""Objects found without a click."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import drawn_maps

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.metrics import agreement
from napari_gen2seg.core.proposals import ProposalSettings, find_objects
from napari_gen2seg.errors import SettingsError


@pytest.mark.parametrize(
    ("kind", "spoil", "least"),
    [
        ("blobs", {}, 0.8),
        ("blobs", {"noise": 6.0, "coarse": 5.0}, 0.75),
        ("tissue", {}, 0.85),
    ],
)
def test_most_objects_are_found(
    kind: str, spoil: dict[str, float], least: float
) -> None:
    labels = getattr(drawn_maps, kind)(192, 25, 3)
    # Slivers left of covered objects are no objects.
    labels[np.bincount(labels.ravel())[labels] < 60] = 0
    coloring = Coloring.from_array(drawn_maps.paint(labels, 3, **spoil))
    found = coloring.propose()
    assert found.dtype == np.int32 and found.shape == labels.shape
    result = agreement(labels, found)
    assert result.recall > least and result.precision > least


def test_labels_are_at_source_size_and_without_gaps() -> None:
    labels = drawn_maps.blobs(96, 10, 1)
    coloring = Coloring.from_array(drawn_maps.paint(labels, 1), source_shape=(250, 300))
    found = coloring.propose()
    assert found.shape == (250, 300)
    assert np.unique(found).tolist() == list(range(int(found.max()) + 1))
    np.testing.assert_array_equal(found, coloring.propose())


def test_an_empty_map_has_no_objects() -> None:
    assert not Coloring.from_array(np.zeros((40, 50, 3))).propose().any()


def test_settings_decide_what_counts() -> None:
    labels = drawn_maps.blobs(128, 15, 2)
    coloring = Coloring.from_array(drawn_maps.paint(labels, 2))
    every = find_objects(coloring.prober)
    assert len(find_objects(coloring.prober, ProposalSettings(most=3))) == 3
    large = find_objects(coloring.prober, ProposalSettings(min_area=300))
    assert 0 < len(large) < len(every)
    assert all(proposal.mask.area >= 300 for proposal in large)
    for proposal in every:
        pixel = np.rint(proposal.point).astype(int)
        assert proposal.mask.full()[tuple(pixel)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": 0.0},
        {"background": -1.0},
        {"min_area": 0},
        {"most": 0},
        {"max_share": 0.0},
        {"min_score": 2.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        ProposalSettings(**wrong)
