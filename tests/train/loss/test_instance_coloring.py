"""The loss equals the published one, value and gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_gen2seg.errors import DataError
from napari_gen2seg.train.loss.instance_coloring import instance_coloring_loss

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize("number", range(6))
def test_matches_the_published_loss_and_gradient(number: int) -> None:
    golden = np.load(DATA / f"loss_{number}.npz")
    prediction = torch.tensor(golden["prediction"], requires_grad=True)
    loss = instance_coloring_loss(
        prediction,
        torch.tensor(golden["labels"]),
        torch.tensor(golden["ignore_background"]),
    )
    loss.backward()
    expected = float(golden["loss"])
    assert loss.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    scale = np.abs(golden["grad"]).max()
    assert prediction.grad is not None
    difference = np.abs(prediction.grad.numpy() - golden["grad"]).max()
    assert difference <= 1e-4 * scale + 1e-12


def test_a_flat_colouring_costs_less_than_one_colour_for_all() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.long)
    labels[:, 4:14, 4:14], labels[:, 4:14, 14:24] = 1, 2
    good = torch.zeros(1, 3, 32, 32)
    good[:, 0][labels == 1], good[:, 1][labels == 2] = 255, 255
    same = (labels > 0)[:, None].float().expand(-1, 3, -1, -1) * 200
    assert instance_coloring_loss(good, labels) < instance_coloring_loss(same, labels)


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(DataError, match="like the prediction"):
        instance_coloring_loss(torch.zeros(1, 3, 8, 8), torch.zeros(1, 8, 9).long())
    with pytest.raises(DataError, match="batch, 3"):
        instance_coloring_loss(torch.zeros(3, 8, 8), torch.zeros(1, 8, 8).long())
