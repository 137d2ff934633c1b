"""Learned probes: found, loaded, refused, and used by what takes clicks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.helpers.tiny_probe import FOLDER, tiny_probe_as_mini

from napari_gen2seg import Coloring, evaluate, load_model, load_probe, segment
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.errors import ModelNotFoundError, WeightsError
from napari_gen2seg.metrics.click_protocol import answerer
from napari_gen2seg.models.probes import (
    chosen_probe,
    list_probes,
    load_eyes,
    load_probe_net,
    load_shown_probe,
    measured_probe,
    save_probe,
)
from napari_gen2seg.models.registry import find
from napari_gen2seg.models.spec import ModelSpec
from napari_gen2seg.workflows.evaluate import EvaluationSettings, in_words

MINI = Path(__file__).parents[2] / "src" / "napari_gen2seg" / "models" / "mini"


def disc() -> tuple[np.ndarray, np.ndarray]:
    """An image of two bright discs, and their labels."""
    rows, columns = np.mgrid[:120, :160]
    labels = np.zeros((120, 160), np.int32)
    labels[np.hypot(rows - 60, columns - 50) < 24] = 1
    labels[np.hypot(rows - 60, columns - 110) < 20] = 2
    return np.where(labels > 0, 200, 30).astype(np.uint8), labels


@pytest.fixture
def tiny() -> Iterator[None]:
    with tiny_probe_as_mini():
        yield


def test_the_probe_answers_on_any_coloring() -> None:
    image, labels = disc()
    probe = load_probe(str(FOLDER))
    values = np.zeros((*labels.shape, 3), np.float32)
    values[labels == 1], values[labels == 2] = (200, 80, 30), (40, 90, 220)
    seen = np.repeat(image[..., None], 3, -1)
    coloring = Coloring.from_array(values, image=seen)
    for number, click in ((1, (60, 50)), (2, (55, 105))):
        mask = probe.mask(coloring, [click])
        truth = labels == number
        assert mask.method == LEARNED
        assert (mask.full() & truth).sum() / (mask.full() | truth).sum() > 0.8
    assert load_probe(str(FOLDER)) is probe  # read once


def test_a_model_tells_its_maps_who_was_measured_on_them(tiny: None) -> None:
    assert list_probes() == ["mini"]
    assert measured_probe(find("mini")) == "mini"
    other = ModelSpec("x", "offsets", "x", "folder", "none")
    assert measured_probe(other) == "mini"
    assert measured_probe(ModelSpec("x", "sd", "x", "folder", "none")) is None
    assert measured_probe(ModelSpec("y", "mae", "y", "hub", "none")) is None
    image, _ = disc()
    coloring = load_model("mini", device="cpu").color(image, 192)
    assert coloring.learned_probe == "mini"
    assert coloring.image is not None and coloring.image.shape == (144, 192, 3)
    # As the model saw it: stretched, in 8 bits, at the size of the map.
    assert coloring.image.min() < 10 and coloring.image.max() > 245
    learned = chosen_probe(coloring)
    assert learned is not None and chosen_probe(coloring, SIMILARITY) is None
    found = answerer(coloring, None, learned)([(60, 50)], [1])
    np.testing.assert_array_equal(found, learned.mask(coloring, [(60, 50)]).full())


def test_clicks_and_evaluations_use_the_default_and_name_it(tiny: None) -> None:
    image, labels = disc()
    model = load_model("mini", device="cpu")
    done = segment(image, model, clicks=[(60, 50)], resolution=192)
    assert done.objects[0].mask.method == LEARNED
    plain = segment(image, model, clicks=[(60, 50)], resolution=192, method=SIMILARITY)
    assert plain.objects[0].mask.method == SIMILARITY
    quick = {"protocol": "clicks", "corrections": False, "worst": 1, "resolution": 192}
    for method, named in ((None, LEARNED), (SIMILARITY, SIMILARITY)):
        settings = EvaluationSettings(**quick, method=method)
        report = evaluate([(image, labels)], model, settings=settings)
        assert report.images[0]["probe"] == named
        assert f"({named} probe)" in in_words(report)[0]


def test_without_weights_there_is_no_probe_and_similarity_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_gen2seg.models import probes

    monkeypatch.setitem(probes._FOLDERS, "mini", tmp_path)
    assert list_probes() == [] and measured_probe(find("mini")) is None
    with pytest.raises(ModelNotFoundError, match="no learned probe 'nowhere'"):
        load_probe("nowhere")
    # A map that was made where the probe was there.
    values = np.zeros((9, 9, 3), np.float32)
    image = values.astype(np.uint8)
    coloring = Coloring.from_array(values, image=image, learned_probe="mini")
    assert chosen_probe(coloring) is None
    with pytest.raises(ModelNotFoundError):
        chosen_probe(coloring, LEARNED)


@pytest.mark.parametrize(
    "harm", ["version", "shape", "cut", "missing", "eyes", "no eyes"]
)
def test_what_is_damaged_is_refused_with_a_sentence(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / harm
    shutil.copytree(FOLDER, folder)
    facts = json.loads((folder / "probe.json").read_text())
    weights = folder / "model.safetensors"
    if harm == "version":
        facts["format_version"] = 9
    elif harm == "shape":
        facts["net"]["channels"] = [24, 48, 96, 128]
    elif harm == "eyes":
        facts["features"]["sha256"] = "0" * 64
    elif harm == "no eyes":
        facts["features"] = 5
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:2000])
    else:
        weights.unlink()
    (folder / "probe.json").write_text(json.dumps(facts))
    with pytest.raises(WeightsError, match=str(folder)):
        load_probe(str(folder))


@pytest.mark.parametrize(("version", "told"), [(1, "again"), (9, "Update")])
def test_probes_of_other_versions_say_the_way_out(
    tmp_path: Path, version: int, told: str
) -> None:
    folder = tmp_path / "probe"
    shutil.copytree(FOLDER, folder)
    facts = json.loads((folder / "probe.json").read_text())
    facts["format_version"] = version
    (folder / "probe.json").write_text(json.dumps(facts))
    with pytest.raises(WeightsError, match=told):
        load_probe(str(folder))


def test_features_come_from_the_model_that_the_probe_learned_with(
    tmp_path: Path,
) -> None:
    facts = json.loads((FOLDER / "probe.json").read_text())["features"]
    assert facts["model"] == "mini"
    # Of another mini than the one in the package: it is looked for beside the probe.
    other = tmp_path / "other"
    shutil.copytree(MINI, other)
    state = load_file(other / "model.safetensors")
    state["head.bias"] += 1
    save_file(state, other / "model.safetensors")
    net = load_probe_net(FOLDER)
    probe = tmp_path / "probe"
    probe.mkdir()
    save_probe(net, probe, other, {})
    shown = load_shown_probe(probe)
    assert torch.equal(shown.eyes.head.bias, state["head.bias"].float())
    shutil.move(other, tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="'other'"):
        load_shown_probe(probe)


def test_only_networks_of_the_family_offsets_show_features(tiny_sd: Path) -> None:
    with pytest.raises(WeightsError, match="'sd'"):
        load_eyes(tiny_sd)


def test_the_shipped_probe_is_small_and_complete() -> None:
    folder = MINI.parent / "mini_probe"
    if "mini" not in list_probes():
        pytest.skip("no trained probe ships yet")
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 2e6
    assert load_probe("mini").name == "mini"
