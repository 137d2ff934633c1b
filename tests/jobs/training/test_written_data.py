"""Pictures with labels: what is said about them, and what is written."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb, to_uint8
from napari_gen2seg.errors import Cancelled, DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, as_labels
from napari_gen2seg.io.label_facts import LabelFacts
from napari_gen2seg.jobs.training.written_data import worries, write_pairs


def squares(*corners: tuple[int, int], side: int = 8) -> np.ndarray:
    labels = np.zeros((64, 80), np.int32)
    for number, (row, col) in enumerate(corners, 1):
        labels[row : row + side, col : col + side] = number
    return labels


def facts(objects: int, key: str) -> LabelFacts:
    return LabelFacts(objects, 10.0, 0, 0, 0, 0.5, key)


def test_worries_are_about_the_choice():
    assert worries([]) == []
    assert worries([("a", facts(20, "k"), "auto")]) == []
    assert "Only 2 objects" in worries([("a", facts(2, "k"), "auto")])[0]
    held_only = worries([("a", facts(9, "k"), "validation")])
    assert any("none to learn from" in one for one in held_only)


@pytest.mark.parametrize("kind", [np.uint32, np.uint64, np.int64, np.uint16, bool])
def test_no_object_is_lost_whatever_its_number(tmp_path, kind):
    corners = [(10, 10), (20, 40), (40, 60)]
    small = squares(*corners)
    top = np.iinfo(kind).max if kind is not bool else 1
    ids = np.array([0, top, top // 2 + 1, min(5, top)], kind)
    labels = ids[small]
    if kind is np.int64:
        labels[0, :3] = -1, -7, np.iinfo(kind).min
    image = np.zeros((64, 80), np.uint8)
    source = AnnotatedSource("a", lambda: Annotated(image, as_labels(labels)))
    (pair,) = write_pairs(tmp_path, [source], ["a"], lambda: None, lambda *_: None)
    written = tifffile.imread(pair["labels"])
    assert written.dtype == np.int32
    assert np.array_equal(written > 0, labels > 0)
    found = {written[row, col] for row, col in corners}
    assert len(found) == len(np.unique(written[written > 0])) == len(np.unique(ids)) - 1
    if kind is np.int64:
        assert written[0, :4].tolist() == [-1, -1, -1, 0]
    if kind is np.uint16:
        assert np.array_equal(written, labels)


def test_pairs_are_written_as_the_model_will_see_them(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 4000, (64, 80, 3)).astype(np.uint16)
    labels = squares((10, 10), (20, 40))
    labels[0, 0] = -1
    recipe = RgbRecipe(channels=(2, None, 0), invert=True)
    source = AnnotatedSource(
        "my picture",
        lambda: Annotated(pixels, labels),
        role="validation",
        group="g",
        complete=True,
        recipe=recipe,
    )
    told = []
    (pair,) = write_pairs(
        tmp_path / "data", [source], ["p"], lambda: None, lambda *a: told.append(a)
    )
    assert np.array_equal(
        tifffile.imread(pair["image"]), to_uint8(to_rgb(pixels, recipe))
    )
    assert np.array_equal(tifffile.imread(pair["labels"]), labels)
    assert (pair["complete"], pair["role"], pair["group"]) == (True, "validation", "g")
    assert told == [(0.0, "Reading my picture")]

    wrong = AnnotatedSource("odd", lambda: Annotated(pixels, labels[:5]))
    with pytest.raises(DataError, match=r"'odd': The picture is 64 x 80 pixels"):
        write_pairs(tmp_path, [wrong], ["q"], lambda: None, lambda *a: None)

    def stop() -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        write_pairs(tmp_path, [source], ["q"], stop, lambda *a: None)
