"""What is held back to judge by, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_gen2seg.io.annotated import Annotated, AnnotatedSource
from napari_gen2seg.io.label_facts import look_through
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.training_sources import unchanged_proposals
from napari_gen2seg.train.data.split import choose_validation, divide


def source(name: str, proposed: int, objects: int = 6) -> AnnotatedSource:
    rng = np.random.default_rng([ord(one) for one in name])
    labels = np.zeros((40, 10 * objects + 10), np.int32)
    for number in range(1, objects + 1):
        labels[10:16, 10 * number : 10 * number + 6] = number
    image = rng.random((*labels.shape, 3)).astype(np.float32)
    return AnnotatedSource(
        name,
        lambda: Annotated(image, labels, name=name),
        group=name,
        facts=look_through(labels, image),
        proposed=proposed,
    )


def test_what_people_made_is_held_back_before_unchanged_proposals() -> None:
    images = [source("a", 6), source("b", 2), source("c", 6), source("d", 6)]
    for seed in range(8):
        chosen = choose_validation(images, 0.2, seed)
        assert chosen.validation == (1,)
        assert chosen.own_work == (2, 6)
        assert not any("proposals" in one for one in chosen.warnings)
    without = [source(name, 0) for name in "abcd"]
    held = {choose_validation(without, 0.2, seed).validation for seed in range(8)}
    assert len(held) > 1, "by the seed, where there is nothing to choose"


def test_a_model_that_is_judged_by_its_own_proposals_is_told_of() -> None:
    split = divide([source("a", 6), source("b", 5)], 0.2, 0)
    assert split.own_work == (5, 6)
    assert "5 of the 6 objects to judge by are unchanged" in split.warnings[-1]


def test_of_a_single_picture_the_part_that_judges_counts() -> None:
    objects = range(1, 9)
    image = source("a", 2, len(objects))
    chosen = choose_validation([image], 0.2, 0)
    held = divide([image], 0.2, 0).validation[0].objects.tolist()
    assert 0 < len(held) < len(objects)
    assert chosen.own_work == (round(2 * len(held) / 8), len(held)), "its share"
    for proposed in (held, [one for one in objects if one not in held]):
        origins = {one: Origin("proposed") for one in proposed}
        count, inside = unchanged_proposals(image.labels(), origins)
        assert count == len(proposed)
        known = replace(image, proposed=count, proposed_inside=inside)
        chosen = choose_validation([known], 0.2, 0)
        assert chosen.own_work == (len(held) if proposed is held else 0, len(held))
        told = any("unchanged proposals" in one for one in chosen.warnings)
        assert told == (proposed is held)
