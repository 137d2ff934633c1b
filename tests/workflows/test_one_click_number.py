"""One-click IoU is one number: evaluation, comparison, training curve and benchmarks.

A real model on the same images and objects, through the four doors.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from tests.helpers.remembered import remembered
from tests.train.finetune.made import discs, settings, write_pairs

from napari_gen2seg import load_model
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.probes import chosen_probe
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.export import Best
from napari_gen2seg.train.finetune.sources import training_sources
from napari_gen2seg.train.finetune.validation import Validator, watched_objects
from napari_gen2seg.workflows.evaluate import EvaluationSettings, evaluate
from napari_gen2seg.workflows.finetune.compare import compare_models, judged_objects

Clicks = dict[tuple[str, int], tuple[float, float]]
"""IoU of the centre and of the off-centre click, by image and object."""


@pytest.fixture(scope="module")
def mini() -> BaseColorer:
    colorer = load_model("mini", device="cpu")
    assert isinstance(colorer, BaseColorer)
    return remembered(colorer)


def worn(image: np.ndarray) -> np.ndarray:
    """Blur an image and add noise, so that some clicks fail and some do not."""
    noise = np.random.default_rng(0).normal(0, 40, image.shape)
    noisy = ndimage.gaussian_filter(image.astype(float), 2.5) + noise
    return noisy.clip(0, 255).astype(np.uint8)


def run_of(folder: Path) -> tuple[FinetuneConfig, Sequence[Annotated]]:
    """Return the settings of a run, and the two images that judge it."""
    pairs = []
    for pair, role in zip(
        write_pairs(folder, 3, keep=9),
        ("validation", "validation", "train"),
        strict=True,
    ):
        tifffile.imwrite(pair.image, worn(tifffile.imread(pair.image)))
        pairs.append(replace(pair, role=role))
    config = settings(folder / "run", "mini", tuple(pairs))
    return config, training_sources(config)[0].validation


def evaluated(
    mini: BaseColorer,
    held: Sequence[Annotated],
    seed: int = 0,
    method: str | None = None,
) -> Clicks:
    """Evaluate all objects of the pairs, named as they are."""
    items = [AnnotatedSource(pair.name, lambda pair=pair: pair) for pair in held]
    report = evaluate(
        Dataset("held", tuple(items)),
        mini,
        "clicks",
        EvaluationSettings(corrections=False, seed=seed, resamples=10, method=method),
    )
    return {
        (image["name"], one["object"]): (one["centre"], one["off_centre"])
        for image in report.images
        for one in image["clicks"]["distance"]
    }


def test_evaluation_comparison_curve_and_benchmark_agree(
    mini: BaseColorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, held = run_of(tmp_path)
    assert len(held) == 2
    clicks = evaluated(mini, held)
    ious = np.array(list(clicks.values()))
    # Clicks that all fail, or all succeed, would agree whatever they were.
    assert 0.2 < ious.mean() < 0.95 and ious.std() > 0.02
    assert (ious[:, 0] != ious[:, 1]).any()

    # The comparison after fine-tuning, of a run that kept its old model.
    steps = compare_models(config, tmp_path, best=Best("full", 0, 0.0, {}, {}))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            compared = end.value[0]
            break
    judged = [
        clicks[pair.name, number]
        for pair, ids in zip(held, judged_objects(held, config.seed)[0], strict=True)
        for number in ids
    ]
    center, aside = np.mean(judged, axis=0)
    assert compared.before.one_click == pytest.approx(center, abs=1e-6)
    assert compared.before.off_centre == pytest.approx(aside, abs=1e-6)

    # The training curve: three clicks of the same protocol on each watched object.
    again = evaluated(mini, held, seed=1)
    watched = [
        (*clicks[pair.name, number], again[pair.name, number][1])
        for pair, ids in watched_objects(held, config.seed)
        for number in ids
    ]
    score = Validator(held, mini.config, config.seed).score(mini)
    assert score == pytest.approx(np.mean(watched), abs=1e-6)

    # The benchmarks: fine-tuning's judges by name, and click quality by number.
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    monkeypatch.setattr("napari_gen2seg.load_model", lambda *_: mini)
    from benchmarks import click_quality, finetune

    found = finetune.clicked(held, finetune.colors("mini"), most=100)
    assert len(found) == len(clicks)
    np.testing.assert_allclose(
        [(one.center, one.off_center) for one in found], ious, rtol=0, atol=1e-6
    )
    # Click quality is of the similarity rule, with brightness and without.
    plain = np.array(list(evaluated(mini, held, method="similarity").values()))
    assert not np.allclose(plain, ious)
    chosen = Namespace(model="mini", resolution=None, most=100, clicks=False)
    found = click_quality.run("model", "held", held, chosen, {})
    np.testing.assert_allclose(
        [one.center for one in found], plain[:, 0], rtol=0, atol=1e-6
    )


def test_the_objects_of_a_crowded_image_are_chosen_by_one_rule(
    mini: BaseColorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from benchmarks.clicks import click_labels

    from napari_gen2seg.metrics.click_protocol import answerer

    image, labels = discs(3, 96, 16)
    image = worn(image)
    labels[labels == 5] *= np.indices(labels.shape).sum(0)[labels == 5] % 16 == 0
    coloring = mini.color(image)
    answer = answerer(coloring, probe=chosen_probe(coloring))
    found = click_labels(answer, labels, "0", most=7)
    report = evaluate(
        [(image, labels)],
        mini,
        "clicks",
        EvaluationSettings(corrections=False, most=7, resamples=10),
    )
    facts = report.images[0]["clicks"]["distance"]
    assert [one.number for one in found] == [one["object"] for one in facts]
    assert [one.area for one in found] == [one["area"] for one in facts]
    np.testing.assert_allclose(
        [(one.center, one.off_center) for one in found],
        [(one["centre"], one["off_centre"]) for one in facts],
        rtol=0,
        atol=1e-6,
    )
