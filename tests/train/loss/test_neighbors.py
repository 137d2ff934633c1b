"""The loss with a long reach, the rim, and targets computed from positions."""

from __future__ import annotations

import itertools

import torch

from napari_gen2seg.train.loss.harmonic import harmonic_target
from napari_gen2seg.train.loss.neighbors import (
    NeighborWeights,
    near_pairs,
    neighbor_loss,
    touching_boundary,
)
from napari_gen2seg.train.loss.segment_sums import Segments


def three_squares() -> torch.Tensor:
    """Two touching squares and a far one."""
    labels = torch.zeros(1, 48, 64, dtype=torch.long)
    labels[:, 4:20, 4:20], labels[:, 4:20, 20:36], labels[:, 30:44, 46:60] = 1, 2, 3
    return labels


def paint(labels: torch.Tensor, colors: dict[int, tuple[float, ...]]) -> torch.Tensor:
    out = torch.zeros(1, 3, *labels.shape[1:])
    for label, color in colors.items():
        out[0, :, labels[0] == label] = torch.tensor(color).float()[:, None]
    return out


def test_rim_lies_on_both_sides_of_a_shared_border_only() -> None:
    rim = touching_boundary(three_squares())[0]
    assert rim[10, 19] and rim[10, 20]
    assert not rim[10, 18] and not rim[10, 4] and not rim[30:44, 46:60].any()


def test_background_and_unknown_make_no_rim() -> None:
    labels = three_squares()
    labels[labels == 0] = -1
    assert not touching_boundary(labels)[0, 30:44, 46:60].any()


def test_only_near_objects_are_pairs() -> None:
    segments = Segments.of(three_squares())
    pairs = near_pairs(segments, (48, 64), 8)
    named = segments.label[pairs].T.tolist()
    assert named == [[1, 2]]


def test_far_objects_may_share_a_colour_and_neighbours_may_not() -> None:
    labels = three_squares()
    red, green = (240.0, 60.0, 60.0), (60.0, 240.0, 60.0)
    weights = NeighborWeights(rim=0, far=0)
    apart = neighbor_loss(paint(labels, {1: red, 2: green, 3: red}), labels, weights)
    same = neighbor_loss(paint(labels, {1: red, 2: red, 3: green}), labels, weights)
    assert apart < 0.1 * same


def test_the_push_is_felt_from_one_hue_for_all() -> None:
    labels = three_squares()
    start = paint(labels, {1: (150.0,) * 3, 2: (150.5,) * 3, 3: (150.0,) * 3})
    start.requires_grad_()
    neighbor_loss(start, labels, NeighborWeights(edge=0, far=0, rim=0)).backward()
    assert start.grad is not None
    first, second = (start.grad[0][:, labels[0] == i].sum() for i in (1, 2))
    assert first > 0 > second


def test_unknown_pixels_cost_nothing() -> None:
    labels = three_squares()
    labels[labels == 0] = -1
    picture = paint(labels, {1: (240, 60, 60), 2: (60, 240, 60), 3: (60, 60, 240)})
    other = picture.clone()
    other[:, :, 25:28] = 200
    assert torch.equal(neighbor_loss(picture, labels), neighbor_loss(other, labels))


def test_an_empty_picture_has_a_finite_loss() -> None:
    empty = torch.zeros(2, 16, 16, dtype=torch.long)
    assert float(neighbor_loss(torch.zeros(2, 3, 16, 16), empty)) == 0.0
    unknown = torch.full((1, 16, 16), -1)
    assert float(neighbor_loss(torch.ones(1, 3, 16, 16), unknown)) == 0.0


def test_harmonic_colours_differ_between_neighbours_of_any_size() -> None:
    for side in (12, 24, 48):
        labels = torch.zeros(1, side, 4 * side, dtype=torch.long)
        for i in range(4):
            labels[:, :, i * side : (i + 1) * side] = i + 1
        target = harmonic_target(labels, 96.0)[0]
        middle = [target[:, side // 2, i * side + side // 2] for i in range(4)]
        steps = [(a - b).norm() for a, b in itertools.pairwise(middle)]
        assert max(steps) > 60 and min(steps) > 15, (side, steps)


def test_harmonic_target_is_flat_inside_and_black_outside() -> None:
    labels = three_squares()
    target = harmonic_target(labels, 96.0)
    assert float(target[0, :, labels[0] == 0].abs().max()) == 0
    for label in (1, 2, 3):
        inside = target[0, :, labels[0] == label]
        assert float((inside - inside[:, :1]).abs().max()) < 1e-3
        assert float(inside.min()) >= 59


def test_the_place_of_a_crop_changes_its_colours() -> None:
    labels = three_squares()
    here = harmonic_target(labels, 96.0, torch.tensor([[0.0, 0.0]]))
    there = harmonic_target(labels, 96.0, torch.tensor([[37.0, 11.0]]))
    assert float((here - there).abs().max()) > 30
