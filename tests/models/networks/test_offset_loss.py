"""Targets and loss of the center offsets."""

from __future__ import annotations

import numpy as np
import torch

from napari_gen2seg.models.networks.offset_loss import object_centers, offset_loss
from napari_gen2seg.models.networks.offset_net import UNIT


def test_every_pixel_points_to_the_center_of_its_object() -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[4:9, 10:21] = 7
    labels[15:18, 2:5] = -1
    offsets, area = object_centers(labels)
    assert offsets[:, 4, 10].tolist() == [2 / UNIT, 5 / UNIT]
    assert offsets[:, 6, 15].tolist() == [0, 0]
    assert area[6, 15] == 55 and area[0, 0] == 0 and area[16, 3] == 0
    assert not offsets[:, labels <= 0].any()


def test_the_center_of_a_ring_is_a_pixel_of_it() -> None:
    rows, columns = np.mgrid[:41, :41]
    apart = np.hypot(rows - 20, columns - 20)
    ring = ((apart < 15) & (apart > 9)).astype(np.int32) * 3
    offsets, _ = object_centers(ring)
    ends = {
        tuple(np.rint(offsets[:, r, c] * UNIT + (r, c)).astype(int))
        for r, c in np.argwhere(ring)
    }
    assert len(ends) == 1
    assert ring[ends.pop()] == 3


def _batch(labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    offsets, area = object_centers(labels)
    return (
        torch.from_numpy(labels.astype(np.int64))[None],
        torch.from_numpy(offsets)[None],
        torch.from_numpy(area)[None],
    )


def test_the_right_answer_costs_next_to_nothing_and_wrong_ones_more() -> None:
    labels = np.zeros((32, 32), np.int32)
    labels[4:14, 4:14], labels[20:30, 18:30] = 1, 2
    names, target, area = _batch(labels)
    right = torch.cat([(names > 0).float()[:, None] * 24 - 12, target], 1)
    best, parts = offset_loss(right, names, target, area)
    assert best < 0.01 and parts["offset"] == 0
    away = right.clone()
    away[:, 1:] += 1
    assert offset_loss(away, names, target, area)[0] > best + 1
    missed = right.clone()
    missed[:, 0, 4:14, 4:14] = -12
    assert offset_loss(missed, names, target, area)[0] > best + 1


def test_unknown_pixels_ask_nothing() -> None:
    labels = np.zeros((32, 32), np.int32)
    labels[4:14, 4:14], labels[20:30] = 1, -1
    names, target, area = _batch(labels)
    answer = torch.zeros(1, 3, 32, 32, requires_grad=True)
    offset_loss(answer, names, target, area)[0].backward()
    assert answer.grad is not None
    assert not answer.grad[:, :, 20:30].any() and answer.grad[:, :, 4:14].any()
