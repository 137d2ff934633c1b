"""Losses on the shape of a painting: flat inside, sharp outside."""

from __future__ import annotations

import pytest
import torch

from napari_gen2seg.train.loss.edges import gradient_loss, outline_loss

LABELS = torch.zeros(1, 32, 32, dtype=torch.long)
LABELS[0, 4:20, 4:16] = 1
LABELS[0, 4:20, 16:28] = 2
COLORS = torch.tensor([[0.0, 0, 0], [200, 80, 100], [80, 220, 60]])
TARGET = COLORS[LABELS].permute(0, 3, 1, 2)


def test_the_wanted_painting_costs_nothing() -> None:
    assert gradient_loss(TARGET, TARGET, LABELS) == 0
    below = torch.where(TARGET == 0, torch.full_like(TARGET, -80.0), TARGET)
    assert gradient_loss(below, TARGET, LABELS) == 0  # black may be overshot
    assert outline_loss(below, LABELS > 0, LABELS == 0) < 0.02


@pytest.mark.parametrize("kind", ["slope inside", "one colour for both", "blur"])
def test_what_spoils_a_click_costs(kind: str) -> None:
    wrong = TARGET.clone()
    if kind == "slope inside":
        wrong += torch.linspace(-30, 30, 32) * (LABELS > 0)[:, None]
    elif kind == "one colour for both":
        wrong = torch.where(TARGET > 0, torch.full_like(TARGET, 140.0), TARGET)
    else:
        wrong = torch.nn.functional.avg_pool2d(TARGET, 7, 1, 3)
    assert gradient_loss(wrong, TARGET, LABELS) > 0.02


def test_a_constant_shift_of_an_objects_colour_is_no_slope() -> None:
    inside = torch.where(LABELS == 1, 1, -1)  # only the first object is known
    assert gradient_loss(TARGET + 40, TARGET, inside) == 0


def test_unknown_pixels_ask_for_nothing() -> None:
    labels = torch.where(LABELS == 2, -1, LABELS)
    wrong = torch.where((labels < 0)[:, None], torch.rand(1, 3, 32, 32) * 255, TARGET)
    assert gradient_loss(wrong, TARGET, labels) == 0
    assert outline_loss(wrong, labels > 0, labels == 0) == outline_loss(
        TARGET, labels > 0, labels == 0
    )


def test_both_sides_of_an_outline_weigh_the_same() -> None:
    gray = torch.full((1, 3, 32, 32), 45.0)
    few = torch.zeros(1, 32, 32, dtype=torch.bool)
    few[0, 0, :3] = True
    assert outline_loss(gray, few, ~few).item() == pytest.approx(0.6931, abs=1e-3)
    none = torch.zeros_like(few)
    assert outline_loss(gray, none, none) == 0
