"""Objects found without a click."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import drawn_maps
from skimage import data
from tests.helpers.hits import recall_and_precision

from napari_gen2seg import load_model
from napari_gen2seg.core.candidates import CandidateSet, paint, select
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import Prober
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.metrics.matching import overlaps

GOLDEN = Path(__file__).parents[1] / "data" / "proposals"

PARTED_AT_NECKS = {
    ("coins", "default"): 1,
    ("usiigaci", "default"): 2,
    ("usiigaci", "strict"): 1,
    ("ampis_powder", "default"): 9,
}
"""How many of the golden objects a rule had a hand in that is gone (decision 0011)."""


@pytest.mark.parametrize(
    "name", ["coins", "dsb2018", "usiigaci", "ampis_powder", "drawn"]
)
def test_the_same_objects_as_ever(name: str) -> None:
    with np.load(GOLDEN / f"{name}.npz") as golden:
        facts = json.loads(str(golden["facts"]))
        coloring = Coloring(
            golden["values"].astype(np.float32),
            tuple(facts["source_shape"]),
            black_background=facts["on_black"],
            extra_maps=golden["extra"].astype(float) if "extra" in golden else None,
            brightness_image=golden.get("brightness"),
        )
        for case, settings in facts["settings"].items():
            found = coloring.propose(ProposalSettings(**settings))
            before = golden[f"labels_{case}"]
            if (name, case) not in PARTED_AT_NECKS:
                np.testing.assert_array_equal(found, before, case)
                continue
            twins = np.count_nonzero(overlaps(before, found).table == 1)
            assert found.max() == before.max()
            assert twins == before.max() - PARTED_AT_NECKS[name, case]


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
    recall, precision = recall_and_precision(labels, found)
    assert recall > least and precision > least


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
    candidates = coloring.candidates()
    every = select(candidates)
    assert select(candidates, ProposalSettings(most=3)).tolist() == every[:3].tolist()
    large = select(candidates, ProposalSettings(min_area=300))
    assert 0 < len(large) < len(every)
    assert (candidates.areas[large] >= 300).all()
    for index in every:
        pixel = np.rint(candidates.points[index]).astype(int)
        assert candidates.masks[index].full()[tuple(pixel)]


def test_selecting_probes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = drawn_maps.blobs(128, 15, 2)
    coloring = Coloring.from_array(drawn_maps.paint(labels, 2))
    probes = []
    probe = Prober.probe

    def counted(self: Prober, *args: Any, **kwargs: Any) -> Any:
        probes.append(args)
        return probe(self, *args, **kwargs)

    monkeypatch.setattr(Prober, "probe", counted)
    candidates = coloring.candidates()
    assert len(probes) == len(candidates) > 0
    probes.clear()
    sets = set()
    for settings in (
        ProposalSettings(),
        ProposalSettings(min_score=0.6),
        ProposalSettings(min_area=200),
        ProposalSettings(max_share=0.01),
        ProposalSettings(max_overlap=0.0),
        ProposalSettings(max_overlap=1.0, min_score=0.0),
        ProposalSettings(most=2),
    ):
        found = paint(candidates, select(candidates, settings))
        assert not probes
        np.testing.assert_array_equal(found, coloring.propose(settings))
        assert probes
        probes.clear()
        sets.add(found.tobytes())
    assert len(sets) > 4


def test_what_needs_other_candidates_is_refused() -> None:
    labels = drawn_maps.blobs(96, 10, 1)
    candidates = Coloring.from_array(drawn_maps.paint(labels, 1)).candidates()
    for other in ({"tolerance": 20.0}, {"background": 10.0}, {"diameter": 20.0}):
        assert not candidates.answers(ProposalSettings(**other))
        with pytest.raises(SettingsError, match="candidates again"):
            select(candidates, ProposalSettings(**other))
    assert candidates.answers(ProposalSettings(min_score=0.9, most=1))


def test_candidates_travel_between_processes() -> None:
    labels = drawn_maps.blobs(96, 10, 1)
    candidates = Coloring.from_array(drawn_maps.paint(labels, 1)).candidates()
    again = pickle.loads(pickle.dumps(candidates))  # noqa: S301 - our own
    np.testing.assert_array_equal(
        paint(again, select(again)), paint(candidates, select(candidates))
    )


def test_instances_found_elsewhere_are_selected_alike() -> None:
    labels = np.zeros((40, 60), np.uint16)
    labels[2:12, 2:12] = 7
    labels[20:24, 30:34] = 9
    labels[26:38, 40:58] = 300
    given = CandidateSet.from_labels(labels, [0.4, 0.9, 0.6], (80, 120))
    assert given.scores.tolist() == [0.9, 0.6, 0.4]
    assert given.areas.tolist() == [16, 216, 100]
    for index, (row, col) in enumerate(given.points):
        assert given.masks[index].full()[round(row), round(col)]
    every = paint(given, select(given))
    assert every.shape == (80, 120)
    assert np.bincount(every.ravel())[1:].tolist() == [64, 864, 400]
    assert select(given, ProposalSettings(min_score=0.5)).tolist() == [0, 1]
    assert select(given, ProposalSettings(min_area=50)).tolist() == [1, 2]
    assert select(given, ProposalSettings(diameter=40)).tolist() == [1, 2]

    circle = np.hypot(*np.mgrid[-20:20, -20:20]) < 10
    moved = np.roll(circle, 3, axis=1)
    both = CandidateSet.from_masks([moved, circle], [0.5, 0.8])
    assert select(both).tolist() == [0]
    assert len(select(both, ProposalSettings(max_overlap=0.95))) == 2
    np.testing.assert_array_equal(paint(both, [0]) > 0, circle)
    assert paint(both, []).max() == 0


@pytest.mark.parametrize(
    ("masks", "scores"),
    [
        ([], None),
        ([np.zeros((4, 4))], None),
        ([np.ones((4, 4)), np.ones((4, 5))], None),
        ([np.ones((4, 4))], [0.5, 0.5]),
        ([np.ones((4, 4))], [1.5]),
    ],
)
def test_instances_that_make_no_sense_are_refused(masks: Any, scores: Any) -> None:
    with pytest.raises(SettingsError):
        CandidateSet.from_masks(masks, scores)


def discs_in_a_haze() -> tuple[np.ndarray, np.ndarray]:
    """Nine discs on black; a haze that flickers between them, and bright specks."""
    rows, cols = np.mgrid[:180, :180]
    labels = np.zeros((180, 180), np.int32)
    values = np.zeros((180, 180, 3), np.float32)
    colors = np.random.default_rng(0).uniform(70, 255, (9, 3))
    for number, (row, col) in enumerate(np.ndindex(3, 3)):
        inside = np.hypot(rows - 30 - 60 * row, cols - 30 - 60 * col) <= 16
        labels[inside] = number + 1
        values[inside] = colors[number]
    between = (np.abs(rows - 60) < 9) | (np.abs(rows - 120) < 9)
    values[between & (cols % 60 > 20)] = (45, 40, 25)
    values[between & (cols % 60 > 40)] = (20, 50, 60)
    for row, col in ((2, 2), (90, 2), (175, 175)):
        values[row : row + 5, col : col + 5] = (250, 250, 90)
    return labels, values


def test_what_shines_a_little_is_no_object_on_black() -> None:
    labels, values = discs_in_a_haze()
    assert Coloring.from_array(values).propose().max() > 14
    coloring = Coloring.from_array(values, black_background=True)
    assert recall_and_precision(labels, coloring.propose()) == (1.0, 1.0)
    every = ProposalSettings(background=0, min_diameter=0)
    assert coloring.propose(every).max() > 14


def test_points_on_the_background_are_known_on_black() -> None:
    labels, values = discs_in_a_haze()
    # The picture is twice as large as its map.
    points = [(60, 60), (300, 61), (60, 120), (241, 180)]
    wanted = [labels[int(row / 2), int(col / 2)] == 0 for row, col in points]
    coloring = Coloring.from_array(values, (360, 360), black_background=True)
    assert coloring.on_background(points).tolist() == wanted
    assert not Coloring.from_array(values, (360, 360)).on_background(points).any()


def discs_in_cells() -> tuple[np.ndarray, np.ndarray]:
    """Four cells in colours that drift, with a disc of one colour in each."""
    rows, cols = np.mgrid[:220, :220]
    labels = np.zeros((220, 220), np.int32)
    values = np.zeros((220, 220, 3), np.float32)
    for number, (row, col) in enumerate(np.ndindex(2, 2)):
        row, col = 55 + 110 * row, 55 + 110 * col
        cell = np.hypot(rows - row, cols - col) <= 50
        drift = np.stack([120 + (rows - row), 130 + (cols - col), 0 * rows + 150], -1)
        values[cell] = drift[cell]
        disc = np.hypot(rows - row - 8, cols - col + 12) <= 10
        labels[disc] = number + 1
        values[disc] = (250, 60, 40 + 60 * number)
    return labels, values


def test_objects_of_the_size_that_was_told_are_found_in_larger_ones(
    tmp_path: Path,
) -> None:
    labels, values = discs_in_cells()
    read = Coloring.from_array(values, black_background=True)
    assert recall_and_precision(labels, read.propose())[0] < 1
    for told in (
        read.propose(ProposalSettings(diameter=20)),
        Coloring.from_array(values, black_background=True, diameter=20).propose(),
    ):
        assert recall_and_precision(labels, told) == (1.0, 1.0)
    # In pixels of the picture, also where its map is half as large.
    large = Coloring.from_array(values, (440, 440), black_background=True, diameter=40)
    assert recall_and_precision(labels, large.propose()[::2, ::2])[0] == 1.0
    again = Coloring.load(large.save(tmp_path / "map.tif"))
    assert (again.diameter, again.key) == (40, large.key) and large.key != read.key


def test_coins_are_coins(tmp_path: Path) -> None:
    coloring = load_model("mini", device="cpu").color(data.coins())
    found = coloring.propose()
    sizes = np.bincount(found.ravel())[1:]
    assert np.count_nonzero(sizes > 900) == 24  # so many coins are there
    assert len(sizes) <= 26
    again = Coloring.load(coloring.save(tmp_path / "map.tif"))
    assert again.black_background and again.key == coloring.key
    np.testing.assert_array_equal(again.propose(), found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": 0.0},
        {"background": -1.0},
        {"min_area": 0},
        {"most": 0},
        {"max_share": 0.0},
        {"min_score": 2.0},
        {"min_diameter": -0.1},
        {"max_overlap": 1.1},
        {"diameter": 0.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        ProposalSettings(**wrong)
