"""A running average of the weights in training, and a way to try it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class TrainedAverage:
    """Exponential moving average of the trained parameters alone.

    The decay grows with the steps: short runs are not held back by their beginning.
    """

    def __init__(self, trained: Mapping[str, nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.trained = trained
        self.shadow = {k: v.detach().clone() for k, v in trained.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the present weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, parameter in self.trained.items():
            self.shadow[name].lerp_(parameter, 1 - decay)

    @contextmanager
    def worn(self) -> Iterator[None]:
        """Put the average into the network for the time of a ``with`` block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, parameter in self.trained.items():
            kept = self.shadow[name].clone()
            self.shadow[name].copy_(parameter)
            parameter.copy_(kept)

    @torch.no_grad()
    def restore(self, shadow: Mapping[str, Tensor], steps: int) -> None:
        """Go on from a saved average."""
        for name, value in shadow.items():
            self.shadow[name].copy_(value)
        self.steps = steps


class Average:
    """Exponential moving average over the parameters of a network.

    The decay grows from 0 with the steps, so that early random weights are forgotten.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.shadow = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move the average towards the present weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for key, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.shadow[key].lerp_(value, 1 - decay)
            else:
                self.shadow[key].copy_(value)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averaged weights."""
        return self.shadow
