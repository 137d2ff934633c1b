"""What is kept of trained weights."""

from __future__ import annotations

import pytest
import torch

from napari_gen2seg.train.engine.ema import WeightAverage


@pytest.fixture
def weights():
    return {"w": torch.zeros(3), "count": torch.tensor(0)}


def learn(weights, average):
    weights["w"].fill_(8.0)
    weights["count"].fill_(5)
    average.update()


def test_half_of_what_was_learnt_is_kept(weights):
    average = WeightAverage(weights, 0.0, share=0.5)
    learn(weights, average)
    assert average.shadow["w"].tolist() == [8.0] * 3
    assert average.kept["w"].tolist() == [4.0] * 3
    assert average.kept["count"] == 5


def test_what_is_kept_is_worn_and_training_goes_on_from_what_was_learnt(weights):
    average = WeightAverage(weights, 0.0, share=0.25)
    learn(weights, average)
    with average.worn():
        assert weights["w"].tolist() == [2.0] * 3
    assert weights["w"].tolist() == [8.0] * 3
    assert average.shadow["w"].tolist() == [8.0] * 3


def test_without_a_share_the_average_is_worn_and_comes_back(weights):
    average = WeightAverage(weights, 0.5)
    learn(weights, average)  # early steps weigh little in an average
    mean = average.shadow["w"].clone()
    with average.worn():
        assert torch.equal(weights["w"], mean)
    assert weights["w"].tolist() == [8.0] * 3
    assert torch.equal(average.shadow["w"], mean)
