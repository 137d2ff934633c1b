"""Exponential moving average (EMA) of weights in training, and a way to try it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


class WeightAverage:
    """Exponential moving average of weights.

    The decay grows with the steps: early random weights are forgotten, and short runs
    are not held back by their beginning.

    Parameters
    ----------
    weights
        What is averaged: the tensors that training changes in place, such as trained
        parameters or the ``state_dict`` of a network. Whole numbers are copied.
    decay
        0..1, of many steps.
    share
        Of the average in what is kept; the rest are the weights that there were in the
        beginning. 1 keeps the average alone.

    Attributes
    ----------
    shadow
        The average, under the same names.
    steps
        How often it was updated.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], decay: float, share: float = 1.0
    ) -> None:
        self.decay = decay
        self.share = share
        self.steps = 0
        self.weights = weights
        self.shadow = {k: v.detach().clone() for k, v in weights.items()}
        self._start = (
            {k: v.clone() for k, v in self.shadow.items()} if share < 1 else None
        )

    @property
    def kept(self) -> dict[str, Tensor]:
        """What is tried on and kept: the average, or its mean with the beginning."""
        if self._start is None:
            return self.shadow
        return {
            name: torch.lerp(self._start[name], value, self.share)
            if value.dtype.is_floating_point
            else value.clone()
            for name, value in self.shadow.items()
        }

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the present weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in self.weights.items():
            if value.dtype.is_floating_point:
                self.shadow[name].lerp_(value, 1 - decay)
            else:
                self.shadow[name].copy_(value)

    @contextmanager
    def worn(self) -> Iterator[None]:
        """Put what is kept into the network for the time of a ``with`` block."""
        kept = self.kept
        self._swap(kept)
        try:
            yield
        finally:
            self._swap(kept)

    @torch.no_grad()
    def _swap(self, others: dict[str, Tensor]) -> None:
        for name, value in self.weights.items():
            worn = others[name].clone()
            others[name].copy_(value)
            value.copy_(worn)

    @torch.no_grad()
    def restore(self, shadow: Mapping[str, Tensor], steps: int) -> None:
        """Go on from a saved average, wherever the network is."""
        for name, value in shadow.items():
            self.shadow[name].copy_(value)
        self.steps = steps
