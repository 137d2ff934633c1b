"""Labelled pictures: what is refused, what is warned of, what stays unknown."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.train.finetune.made import discs, write_pairs

from napari_gen2seg.core.map.object_size import typical_size
from napari_gen2seg.errors import DataError, SettingsError
from napari_gen2seg.io.annotated import AnnotatedSource
from napari_gen2seg.train.data.labeled_images import (
    PairSpec,
    check_pair,
    known_pairs,
    read_pairs,
)
from napari_gen2seg.train.data.split import divide
from napari_gen2seg.train.finetune.config import (
    FinetuneConfig,
    read_finetune_config,
)


def test_settings_survive_their_file(tmp_path: Path) -> None:
    config = FinetuneConfig(
        run=str(tmp_path), pairs=(PairSpec("/a.tif", "/b.tif", complete=True),), steps=7
    )
    assert read_finetune_config(config.save()) == config


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(
        json.dumps({"run": "out", "pairs": [{"image": "i.tif", "labels": "l.tif"}]})
    )
    config = read_finetune_config(path)
    assert config.folder == tmp_path / "out"
    assert config.pairs[0].image == str(tmp_path / "i.tif")


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"stepps": 3}, "stepps"),
        ({"steps": "many"}, "steps is 'many'"),
        ({"preset": "fast"}, "preset is 'fast'"),
        ({"hold_back": 2.0}, "hold_back is 2.0"),
        ({"name": "a/b"}, "name is 'a/b'"),
        ({"pairs": [{"image": "a"}]}, "labels must be given"),
        ({"pairs": [{"image": "a", "labels": "b", "x": 1}]}, "pair 1.*'x'"),
        ({"format_version": 99}, "format version 99"),
        ([], "must be a JSON object"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, raw: object, named: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(SettingsError, match=named):
        read_finetune_config(path)


def test_a_preset_is_a_length_unless_one_is_given() -> None:
    assert FinetuneConfig(preset="standard").length == (2000, 15.0)
    assert FinetuneConfig(steps=5).length == (5, None)
    assert FinetuneConfig(minutes=2.0).length == (None, 2.0)


def test_unlabelled_is_unknown_unless_complete() -> None:
    image, labels = discs()
    sparse, _ = check_pair(image, labels)
    whole, _ = check_pair(image, labels, PairSpec("", "", complete=True))
    assert set(np.unique(sparse.labels)) == {-1, *range(1, 17)}
    assert set(np.unique(whole.labels)) == {0, *range(1, 17)}


def test_known_to_be_unknown_stays_so_in_a_complete_picture() -> None:
    image, labels = discs()
    signed = labels.astype(np.int32)
    signed[:10] = -1
    pair, _ = check_pair(image, signed, PairSpec("", "", complete=True))
    assert (pair.labels[:10] == -1).all() and (pair.labels == 0).any()


@pytest.mark.parametrize(
    ("image", "labels", "named"),
    [
        (np.ones((9, 9)), np.ones((9, 8), int), r"\(9, 9\).*\(9, 8\)"),
        (np.ones((9, 9)), np.zeros((9, 9), int), "empty"),
        (np.ones((9, 9)), np.ones((9, 9)) / 2, "holds 0.5"),
        (np.ones((9, 9)), np.ones((9, 9), complex), "complex128"),
        (np.ones((5, 9, 9)), np.ones((9, 9), int), "must be equal"),
        (np.ones((2, 5, 9, 9)), np.ones((9, 9), int), "plane"),
        (np.full((9, 9), np.nan), np.ones((9, 9), int), "cannot be used"),
    ],
)
def test_what_cannot_be_used_is_named(
    image: np.ndarray, labels: np.ndarray, named: str
) -> None:
    with pytest.raises(DataError, match=f"'cells'.*{named}|{named}"):
        check_pair(image, labels, name="cells")


def test_classes_in_place_of_objects_are_warned_of() -> None:
    image, labels = discs()
    _, told = check_pair(image, (labels > 0).astype(np.uint8), name="cells")
    assert any("pieces" in text and "classes" in text for text in told)
    _, told = check_pair(image, labels, name="cells")
    assert told == []


def test_objects_cut_by_the_rim_and_stray_pixels_are_warned_of() -> None:
    image, labels = discs()
    _, told = check_pair(image[:14], labels[:14], name="cells")
    assert any("4 of 4 objects touch the rim" in text for text in told)
    labels[0, 0] = 99
    _, told = check_pair(image, labels, name="cells")
    assert any("fewer than 12 pixels" in text for text in told)


def test_huge_numbers_are_renumbered() -> None:
    image, labels = discs()
    far = labels.astype(np.uint64) * 10**15
    pair, _ = check_pair(image, far)
    assert len(pair.objects) == 16
    assert ((pair.labels > 0) == (labels > 0)).all()


def test_indexed_labels_are_their_index(tmp_path: Path) -> None:
    (spec,) = write_pairs(tmp_path, 1)
    labels = tifffile.imread(spec.labels)
    indexed = Image.fromarray(labels.astype(np.uint8), "P")
    indexed.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
    indexed.save(tmp_path / "voc.png")
    (pair,), _ = read_pairs(
        [dataclasses.replace(spec, labels=str(tmp_path / "voc.png"), complete=True)]
    )
    assert np.array_equal(pair.read().labels, labels)


def test_few_objects_are_warned_of_and_names_stay_apart(tmp_path: Path) -> None:
    specs = write_pairs(tmp_path, 2, keep=1)
    twins = tuple(
        dataclasses.replace(spec, name=name)
        for spec, name in zip(specs, ("a/b", "A/b"), strict=True)
    )
    pairs, told = read_pairs(twins)
    assert [pair.title for pair in pairs] == ["a_b", "A_b-2"]  # one file on some disks
    assert any("Only 2 objects" in text for text in told)
    with pytest.raises(DataError, match="nothing to learn from"):
        read_pairs(())


def test_npy_and_single_plane_stacks_are_read(tmp_path: Path) -> None:
    image, labels = discs()
    np.save(tmp_path / "i.npy", image)
    tifffile.imwrite(tmp_path / "l.tif", labels[None])
    spec = PairSpec(str(tmp_path / "i.npy"), str(tmp_path / "l.tif"))
    assert read_pairs((spec,))[0][0].look().objects == 16


def test_the_typical_size_is_what_a_person_would_say() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[2:22, 2:22] = 1
    labels[30:50, 30:50] = 2
    for number in range(6):
        labels[60, 4 * number] = 10 + number
    assert 20 < typical_size(labels) < 25
    assert typical_size(np.zeros((4, 4), np.int32)) == 32


def _pairs(tmp_path: Path, count: int, **more: object) -> list[AnnotatedSource]:
    return read_pairs(write_pairs(tmp_path, count, **more))[0]


def test_groups_are_held_back_together(tmp_path: Path) -> None:
    specs = write_pairs(tmp_path, 6)
    grouped = tuple(
        dataclasses.replace(spec, group=str(number // 2))
        for number, spec in enumerate(specs)
    )
    pairs, _ = read_pairs(grouped)
    group = {pair.title: pair.group for pair in pairs}
    sides = set()
    for seed in range(8):
        split = divide(pairs, 0.3, seed)
        assert len(split.validation) == 2
        held = {group[p.name] for p in split.validation}
        assert held.isdisjoint(group[p.name] for p in split.train)
        sides |= held
        again = divide(pairs, 0.3, seed)
        assert [p.name for p in again.validation] == [p.name for p in split.validation]
    assert len(sides) > 1


def test_roles_win_and_leaks_are_refused(tmp_path: Path) -> None:
    specs = write_pairs(tmp_path, 3)
    chosen = (specs[0], dataclasses.replace(specs[1], role="validation"), specs[2])
    split = divide(read_pairs(chosen)[0], 0.2, 0)
    assert [p.name for p in split.validation] == ["p1"] and len(split.train) == 2
    leak = (specs[0], dataclasses.replace(specs[0], name="again", role="validation"))
    with pytest.raises(DataError, match="'again' is held back and trained on as 'p0'"):
        divide(read_pairs(leak)[0], 0.2, 0)
    kin = (
        dataclasses.replace(specs[0], group="g"),
        dataclasses.replace(specs[1], group="g", role="validation"),
    )
    assert "same group" in divide(read_pairs(kin)[0], 0.2, 0).warnings[0]
    only = (dataclasses.replace(specs[0], role="validation"),)
    with pytest.raises(DataError, match="none to learn from"):
        divide(read_pairs(only)[0], 0.2, 0)


def test_pairs_without_a_key_are_not_taken_for_one(tmp_path: Path) -> None:
    """A plan may know labels only: then nothing says that two images are the same."""
    specs = write_pairs(tmp_path, 2)
    facts = [
        dataclasses.replace(source.look(), key="") for source in read_pairs(specs)[0]
    ]
    chosen = (specs[0], dataclasses.replace(specs[1], role="validation"))
    sources, _ = known_pairs(chosen, facts)
    assert divide(sources, 0.2, 0).validation[0].name == "p1"
    free, _ = known_pairs(specs, facts)
    assert len(divide(free, 0.5, 0).validation) == 1


def test_twins_without_a_group_are_one_group(tmp_path: Path) -> None:
    specs = write_pairs(tmp_path, 1)
    pairs, _ = read_pairs((specs[0], specs[0]))
    split = divide(pairs, 0.5, 0)
    learnt = {n for p in split.train for n in p.objects.tolist()}
    judged = {n for p in split.validation for n in p.objects.tolist()}
    assert learnt and judged and learnt.isdisjoint(judged)


@pytest.mark.parametrize("complete", [True, False])
def test_of_one_picture_a_part_is_held_back(tmp_path: Path, complete: bool) -> None:
    pairs = _pairs(tmp_path, 1, complete=complete)
    split = divide(pairs, 0.2, 0)
    learnt, judged = split.train[0].labels, split.validation[0].labels
    one, two = set(np.unique(learnt)) - {0, -1}, set(np.unique(judged)) - {0, -1}
    assert one and two and one.isdisjoint(two)
    assert 0.15 <= len(two) / (len(one) + len(two)) <= 0.4
    # Nothing is known on both sides, and objects keep all of their pixels.
    assert ((learnt == -1) | (judged == -1)).all()
    for label in one:
        assert ((learnt == label) == (pairs[0].labels() == label)).all()
    assert "one picture only" in split.warnings[0]


def test_an_object_on_the_border_is_unknown_on_both_sides() -> None:
    image, labels = discs()
    labels[40:56, 10:86] = 50  # crosses every corner and strip that could be cut off
    pair, _ = check_pair(image, labels, PairSpec("", "", complete=True))
    split = divide([AnnotatedSource("p", lambda: pair)], 0.2, 0)
    for side in (split.train[0], split.validation[0]):
        if 50 not in side.labels:
            assert (side.labels[labels == 50] == -1).all()
    assert not (50 in split.train[0].labels and 50 in split.validation[0].labels)


def test_a_single_object_cannot_be_divided(tmp_path: Path) -> None:
    split = divide(_pairs(tmp_path, 1, keep=1), 0.2, 0)
    assert not split.validation and split.objects == 1
    assert "no score" in split.warnings[0]
    assert not divide(_pairs(tmp_path, 3), 0.0, 0).validation
