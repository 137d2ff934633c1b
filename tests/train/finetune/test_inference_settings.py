"""What labels say about using a model, without training it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage import draw, filters, measure
from tests.helpers.remembered import remembered
from tests.train.finetune.made import settings, write_few

from napari_gen2seg import Coloring, finetune, load_model
from napari_gen2seg.errors import Cancelled
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.runtime.resolution import (
    choose_resolution,
    refine_resolution,
)
from napari_gen2seg.train.data.labeled_images import check_pair
from napari_gen2seg.train.finetune import loop
from napari_gen2seg.train.finetune.events import InferenceCalibrated
from napari_gen2seg.train.finetune.inference_settings import (
    best_use,
    calibrate_inference,
    common_diameter,
    use_words,
)
from napari_gen2seg.train.finetune.loop import Training
from napari_gen2seg.train.synthetic import draw_scene


@pytest.fixture(scope="module")
def mini() -> BaseColorer:
    model = load_model("mini", device="cpu")
    assert isinstance(model, BaseColorer)
    return remembered(model)


@pytest.fixture(scope="module")
def specked_pairs() -> list[Annotated]:
    return [specked(seed, radius=5) for seed in (1, 2)]  # mini sees cells


@pytest.fixture(scope="module")
def found(mini: BaseColorer, specked_pairs: list[Annotated]) -> InferenceCalibrated:
    """What those pairs alone say."""
    return calibrate_inference(mini, mini.config, specked_pairs)


def drawn(kind: str, seed: int) -> Annotated:
    scene = draw_scene(np.random.default_rng(seed), 256, kind)
    picture = np.rint(255 * scene.image).astype(np.uint8)
    return check_pair(picture, scene.labels.astype(np.int32))[0]


def specked(
    seed: int, pale: float = 120, whole: bool = False, radius: int = 6
) -> Annotated:
    """Large pale cells with a small bright spot in each: labelled alone, or whole."""
    rng = np.random.default_rng(seed)
    image, labels = np.full((320, 320), 30.0), np.zeros((320, 320), np.int32)
    for number, (row, col) in enumerate(np.ndindex(3, 3), 1):
        at = 55 + 105 * np.array([row, col]) + rng.uniform(-8, 8, 2)
        cell = draw.disk(at, 44)
        image[cell] = pale
        spot = draw.disk(at + rng.uniform(-12, 12, 2), radius)
        image[spot] = 235
        labels[cell if whole else spot] = number
    noisy = filters.gaussian(image, 1) + rng.normal(0, 3, image.shape)
    return check_pair(noisy.clip(0, 255).astype(np.uint8), labels)[0]


def test_brightness_is_left_out_where_it_misleads(mini: BaseColorer) -> None:
    # Cells are labelled whole; the bright spots inside say otherwise.
    pairs = [specked(seed, pale=100, whole=True) for seed in (1, 2, 3)]
    assert calibrate_inference(mini, mini.config, pairs).use == {
        "hears_brightness": False
    }


def test_the_size_is_learnt_where_the_model_takes_something_else(
    found: InferenceCalibrated,
) -> None:
    assert found.use["source_diameter"] == pytest.approx(10, abs=2)
    # Whoever reads the events can see why.
    ways = {(way["size"], way["brightness"]): way["one_click"] for way in found.tried}
    assert len(ways) == 4 and found.objects == 18
    assert ways["labels", True] > ways["read", True] + 0.03
    assert json.loads(found.line())["event"] == "use"


def test_what_is_right_stays(mini: BaseColorer) -> None:
    pairs = [drawn("fluorescent nuclei", seed) for seed in (1, 2)]
    assert calibrate_inference(mini, mini.config, pairs).use == {}


def test_nothing_is_concluded_from_a_few_objects() -> None:
    good, bad = [np.full(5, 0.9)], [np.full(5, 0.1)]
    assert best_use({(False, True): bad, (False, False): good}) == (False, True)


def test_chance_and_hairs_breadths_change_nothing() -> None:
    rng = np.random.default_rng(0)
    usual = rng.uniform(0, 1, 30)
    scores = {(False, True): [usual], (False, False): [usual + 0.02]}
    assert best_use(scores) == (False, True)
    scores[False, False] = [rng.permutation(usual) + 0.05]
    assert best_use(scores) == (False, True)
    scores[False, False] = [usual + 0.05]
    assert best_use(scores) == (False, False)


def test_what_is_worse_in_one_picture_is_not_taken() -> None:
    usual = np.full(10, 0.5)
    scores = {
        (False, True): [usual, usual],
        (False, False): [usual + 0.3, usual - 0.02],
    }
    assert best_use(scores) == (False, True)
    scores[False, False][1] = usual
    assert best_use(scores) == (False, False)


def test_the_smaller_change_is_enough_unless_both_are_better_still() -> None:
    usual = np.full(10, 0.5)
    scores = {
        (False, True): [usual],
        (False, False): [usual],
        (True, True): [usual + 0.2],
        (True, False): [usual + 0.22],
    }
    assert best_use(scores) == (True, True)
    scores[True, False] = [usual + 0.3]
    assert best_use(scores) == (True, False)


def test_a_size_that_several_pictures_share_is_believed_sooner() -> None:
    usual = np.full(10, 0.5)
    mixed = usual + np.tile([0.3, -0.16], 5)  # 0.07 on the mean, of thirty 1.6 errors
    scores = {(False, True): [usual] * 3, (True, True): [mixed, mixed, usual - 0.02]}
    assert best_use(scores) == (False, True)
    scores[True, True] = [mixed, mixed, mixed]
    assert best_use(scores) == (False, True)
    assert best_use(scores, several=True) == (True, True)
    # Brightness is not, nor going back to the size that the model reads.
    assert best_use({(False, True): [usual], (False, False): [mixed]}, several=True)[1]
    back = {(True, True): [usual] * 3, (False, True): [mixed] * 3}
    assert best_use(back, (True, True), several=True) == (True, True)
    # Where it is surely worse in one picture, it is not that picture's size.
    scores[True, True] = [mixed + 0.2, mixed + 0.2, usual - 0.06]
    assert best_use(scores, several=True) == (False, True)


def test_pictures_of_different_magnification_have_no_common_size() -> None:
    pairs = [specked(1), drawn("stained cells", 1)]
    assert common_diameter(pairs[:1]) == pytest.approx(pairs[0].diameter)
    assert common_diameter(pairs) is None
    # One of many that is smaller than the others does not speak for all.
    small = replace(pairs[0], given_diameter=pairs[0].diameter / 2.2)
    assert common_diameter([pairs[0], small]) is None
    assert common_diameter([*pairs[:1] * 5, small]) is not None


def test_the_new_model_is_used_as_the_labels_say(
    tiny_guided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use = {"source_diameter": 8.0, "hears_brightness": False}
    monkeypatch.setattr(
        loop, "calibrate_inference", lambda *_: InferenceCalibrated(use)
    )
    config = settings(tmp_path / "run", tiny_guided, write_few(tmp_path), steps=2)
    training = Training(config)
    for event in training.events():
        if event.kind == "step":
            break
    assert not training.watch.model_config.uses_brightness
    # Gone on with, the run knows it still; no labels are looked at again.
    monkeypatch.setattr(loop, "calibrate_inference", lambda *_: InferenceCalibrated())
    result = finetune(config, resume=True)
    facts = json.loads((result.model / "gen2seg.json").read_text())
    assert (facts["source_diameter"], facts["hears_brightness"]) == (8.0, False)
    assert result.compared.use == use and not result.unchanged
    assert use_words(use) in (result.model / "README.md").read_text()
    colorer = load_model(result.model, "cpu")
    coloring = colorer.color(np.random.default_rng(0).random((64, 64)))
    # 16 pixels are what it likes: the picture is seen at twice its size.
    assert coloring.resolution == 128 and not coloring.uses_brightness
    assert coloring.diameter == 8.0  # and proposals are of that size
    assert colorer.color(np.zeros((64, 64, 3)), resolution=64).diameter is None


def test_what_an_earlier_run_found_stays_unless_labels_say_otherwise(
    mini: BaseColorer, specked_pairs: list[Annotated]
) -> None:
    pairs = specked_pairs
    told = replace(mini.config, source_diameter=10.4)
    assert calibrate_inference(mini.with_config(told), told, pairs).use == {}
    told = replace(mini.config, source_diameter=60.0)
    use = calibrate_inference(mini.with_config(told), told, pairs).use
    assert use == {"source_diameter": pytest.approx(10, abs=2)}
    # Three objects say nothing, and pictures of different sizes have none in common.
    few = pairs[0].relabeled(np.where(pairs[0].labels > 3, 0, pairs[0].labels))
    assert calibrate_inference(mini.with_config(told), told, [few]).use == {}
    mixed = [specked(1), drawn("stained cells", 1)]
    use = calibrate_inference(mini.with_config(told), told, mixed).use
    assert use["source_diameter"] is None
    assert mini.config.source_diameter is None


def test_a_way_that_was_found_before_is_left_for_a_surely_better_one() -> None:
    usual = np.full(10, 0.5)
    scores = {
        (False, True): [usual + 0.02],
        (False, False): [usual],
        (True, True): [usual + 0.1],
        (True, False): [usual],
    }
    assert best_use(scores, (False, False)) == (True, True)
    scores[True, True] = [usual + 0.02]
    assert best_use(scores, (False, False)) == (False, False)
    scores[False, True] = [usual + 0.04]
    assert best_use(scores, (False, False)) == (False, True)


def test_a_held_back_picture_can_speak_against_it(
    mini: BaseColorer, specked_pairs: list[Annotated], found: InferenceCalibrated
) -> None:
    # There the large cells are what is labelled: their size is that which mini reads.
    other = specked(3, radius=5)
    cells = measure.label(other.image[..., 0] > 0.25).astype(np.int32)
    held = replace(other, labels=cells)
    assert "source_diameter" in found.use
    told = calibrate_inference(mini, mini.config, specked_pairs, [held])
    assert "source_diameter" not in told.use


def test_two_parts_of_a_picture_are_coloured_once(
    mini: BaseColorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = specked(1)
    train = whole.relabeled(np.where(whole.labels > 6, -1, whole.labels))
    held = whole.relabeled(np.where(whole.labels > 6, whole.labels, -1))
    color, seen = type(mini).color, []

    def counted(colorer: BaseColorer, *given: object) -> Coloring:
        seen.append(given)
        return color(colorer, *given)

    monkeypatch.setattr(type(mini), "color", counted)
    calibrate_inference(mini, mini.config, [train], [held])
    assert len(seen) == 2  # at the size it reads, and at that of the labels


def test_a_known_size_is_not_read_off_the_map() -> None:
    facts = ModelConfig("sd", object_diameter=28.0)
    assert refine_resolution(400, 90.0, 400, facts) is not None
    told = replace(facts, source_diameter=14.0)
    assert choose_resolution(np.zeros((400, 300, 3), np.float32), told) == 800
    assert refine_resolution(800, 90.0, 400, told) is None
    # A picture smaller than such an object is looked at all the same.
    told = replace(facts, source_diameter=900.0)
    assert choose_resolution(np.zeros((40, 40, 3), np.float32), told) == 64


def test_it_can_be_cancelled_and_is_asked_again(
    mini: BaseColorer,
    tiny_guided: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Cancelled):
        calibrate_inference(mini, mini.config, [specked(1)], cancel=lambda: True)
    config = settings(tmp_path / "run", tiny_guided, write_few(tmp_path), steps=2)
    asked = []

    def fitting(*given: object) -> InferenceCalibrated:
        asked.append(given)
        if len(asked) == 1:
            raise Cancelled("Fine-tuning was cancelled.")
        return InferenceCalibrated({"hears_brightness": False})

    monkeypatch.setattr(loop, "calibrate_inference", fitting)
    with pytest.raises(Cancelled, match="Its state is saved"):
        for _ in Training(config, cancel=lambda: bool(asked)).events():
            pass
    result = finetune(config, resume=True)
    assert len(asked) == 2 and result.compared.use == {"hears_brightness": False}


def test_words() -> None:
    assert use_words({}) == ""
    assert "23 pixels" in use_words({"source_diameter": 22.8})
    assert "brightness" in use_words({"hears_brightness": False})
