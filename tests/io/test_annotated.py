"""An annotated image and where it comes from: what is known of them, and when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource


def squares() -> np.ndarray:
    labels = np.zeros((40, 60), np.int32)
    labels[5:15, 5:15] = 3
    labels[20:30, 20:50] = 7
    return labels


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(0).integers(0, 4000, (40, 60)).astype(np.uint16),
        np.random.default_rng(1).integers(0, 255, (40, 60, 3)).astype(np.uint8),
        np.random.default_rng(2).normal(0, 50, (40, 60, 3)),
        np.full((40, 60), 7, np.uint8),
    ],
    ids=["microscope", "photo", "floats", "constant"],
)
def test_an_image_has_one_key_raw_and_as_the_model_sees_it(image):
    raw = Annotated(image, squares())
    assert raw.key == Annotated(to_rgb(image), squares()).key
    turned = np.ascontiguousarray(image[::-1, ::-1])
    same = np.array_equal(turned, image)
    assert (raw.key == Annotated(turned, squares()).key) == same


def test_other_labels_of_an_image_leave_its_size_and_change_its_facts():
    whole = Annotated(np.zeros((40, 60), np.uint8), squares(), name="a")
    assert whole.complete and whole.objects.tolist() == [3, 7]
    part = whole.relabeled(np.where(squares() == 7, np.int32(-1), squares()))
    assert not part.complete and part.objects.tolist() == [3]
    assert part.diameter == whole.diameter > Annotated(part.image, part.labels).diameter
    assert (part.name, part.facts.objects, whole.facts.objects) == ("a", 1, 2)
    assert part.facts.key == whole.facts.key == whole.key


def test_a_source_looks_without_reading_pixels_where_it_can():
    read = []

    def reader() -> Annotated:
        read.append("all")
        return Annotated(np.zeros((40, 60), np.uint8), squares())

    source = AnnotatedSource("a", reader)
    assert source.look().objects == 2 and read == ["all"]
    alone = replace(source, label_reader=squares)
    assert alone.look().objects == 2 and read == ["all"]
    known = replace(source, facts=reader().facts)
    read.clear()
    assert known.look().objects == 2 and known.key and read == []
    # Facts that were summed up say nothing of parts: the labels are looked through.
    summed = replace(alone, facts=replace(known.facts, objects=9, parts=()))
    assert summed.look().objects == 2 and summed.look().key == known.key
