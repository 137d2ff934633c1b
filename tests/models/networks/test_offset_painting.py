"""Perfect offsets must give a perfect map, and the instances that were drawn."""

from __future__ import annotations

import numpy as np
import torch

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.models.networks.offset_instances import find_instances
from napari_gen2seg.models.networks.offset_loss import object_centers
from napari_gen2seg.models.networks.offset_painting import end_points, paint_waves


def scene() -> np.ndarray:
    """Discs that touch, a ring, and a bar that runs out of the image."""
    labels = np.zeros((128, 160), np.int32)
    rows, columns = np.mgrid[:128, :160]
    for number, (row, column, radius) in enumerate(
        [(30, 30, 14), (30, 57, 14), (80, 40, 22), (90, 120, 20)], 1
    ):
        labels[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = number
    labels[(rows - 90) ** 2 + (columns - 120) ** 2 < 8**2] = 0  # now a ring
    labels[20:28, 110:] = 5
    return labels


def answers(labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    offsets, _ = object_centers(labels)
    logit = np.where(labels > 0, 8.0, -8.0).astype(np.float32)
    return torch.from_numpy(offsets)[None], torch.from_numpy(logit)[None, None]


def test_a_click_on_the_painted_map_gives_the_object() -> None:
    labels = scene()
    offsets, logit = answers(labels)
    values = (
        paint_waves(end_points(offsets, logit), logit, 96.0)[0].permute(1, 2, 0).numpy()
    )
    assert values.shape == (128, 160, 3) and values.dtype == np.float32
    assert values[labels > 0].min() >= 59 and values.max() <= 255
    assert values[labels == 0].max() < 1
    coloring = Coloring.from_array(values)
    for number, point in {1: (30, 30), 2: (30, 57), 3: (80, 40), 5: (24, 130)}.items():
        found = coloring.probe([point]).full()
        assert iou(found, labels == number) > 0.9, number


def test_flat_inside_and_different_next_door() -> None:
    labels = scene()
    offsets, logit = answers(labels)
    values = (
        paint_waves(end_points(offsets, logit), logit, 96.0)[0].permute(1, 2, 0).numpy()
    )
    colors = [np.median(values[labels == n], axis=0) for n in range(1, 6)]
    for number, color in enumerate(colors, 1):
        spread = np.linalg.norm(values[labels == number] - color, axis=1)
        assert np.percentile(spread, 90) < 12, number
    assert np.linalg.norm(colors[0] - colors[1]) > 60


def test_instances_are_those_that_were_drawn() -> None:
    labels = scene()
    offsets, logit = answers(labels)
    found = find_instances(
        end_points(offsets, logit)[0].numpy(), logit[0, 0].numpy(), smallest=30
    )
    assert found.labels.max() == len(found.scores) == 5
    assert found.scores.min() > 0.95
    for number in range(1, 6):
        name = np.bincount(found.labels[labels == number]).argmax()
        assert iou(found.labels == name, labels == number) > 0.95, number


def test_an_instance_whose_end_points_disagree_scores_low() -> None:
    labels = scene()
    offsets, logit = answers(labels)
    shaken = offsets + torch.randn(offsets.shape, generator=torch.manual_seed(1)) * 0.3
    ends = [end_points(o, logit)[0].numpy() for o in (offsets, shaken)]
    sure, unsure = (find_instances(e, logit[0, 0].numpy(), smallest=30) for e in ends)
    assert unsure.scores.mean() < 0.9 * sure.scores.mean()


def test_nothing_is_no_instance() -> None:
    empty = find_instances(np.zeros((2, 8, 9), np.float32), np.full((8, 9), -1.0))
    assert empty.labels.max() == 0 and len(empty.scores) == 0
