"""What is watched in training is what a click gives afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage import data, measure

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.metrics.click_protocol import answerer
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.models.base_colorer import BaseColorer
from napari_gen2seg.models.probes import chosen_probe
from napari_gen2seg.models.runtime.resolution import choose_resolution
from napari_gen2seg.train.data.labeled_images import check_pair
from napari_gen2seg.train.finetune.validation import Validator


def test_scores_are_of_the_clicks_that_people_get(tmp_path: Path) -> None:
    picture = data.coins()
    labels = measure.label(picture > 140).astype(np.int32)
    pair = check_pair(picture, labels)[0]
    mini = load_model("mini", device="cpu")
    assert isinstance(mini, BaseColorer)
    watch = Validator([pair], mini.config)
    watched = watch.color(mini, pair)
    usual = mini.color(picture)
    assert watched.resolution == usual.resolution
    assert watched.uses_brightness and watched.black_background
    np.testing.assert_array_equal(watched.extra_maps, usual.extra_maps)
    answer = answerer(usual, probe=chosen_probe(usual))
    found = [
        iou(answer([point], [1]), pair.labels == label)
        for label, points in watch._objects[0][1]
        for point in points
    ]
    assert watch.score(mini) == np.mean(found)
    # A size that the new model will know is used here, too.
    known = replace(mini.config, source_diameter=15.0)
    finer = Validator([pair], known).color(mini, pair)
    assert finer.resolution == choose_resolution(pair.image, known) != usual.resolution
    # What is written for people to watch is read back as it is.
    path = watch.preview(mini, pair, tmp_path)
    np.testing.assert_array_equal(Coloring.load(path).extra_maps, watched.extra_maps)
