"""One process or several of ``accelerate launch``, with one face.

Gradients are averaged by hand after backward: no wrapper stands between the network
that trains and the colorer that previews it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from napari_gen2seg.train.processes import average_gradients, join_processes


class Team:
    """The processes of a run; one alone unless started by ``accelerate launch``."""

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.process = 0
        self._accelerator: Any = None
        if self.count > 1:
            self._accelerator = join_processes()
            self.process = int(self._accelerator.process_index)
            self.count = int(self._accelerator.num_processes)

    @property
    def main(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.process == 0

    def device(self, asked: str) -> str:
        """Return the device of this process."""
        if self._accelerator is None:
            return asked
        place: torch.device = self._accelerator.device
        return "cpu" if place.type == "cpu" else str(place)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes."""
        if self._accelerator is not None:
            average_gradients(self._accelerator, parameters)

    def mean(self, value: Tensor) -> float:
        """Return a number's mean over the processes (no number if one is none)."""
        if self._accelerator is None:
            return float(value)
        return float(self._accelerator.reduce(value.detach().float(), "mean"))

    def agree(self, number: float) -> float:
        """Return the first process's number to all."""
        if self._accelerator is None:
            return number
        from accelerate.utils import broadcast

        told = torch.tensor([number], dtype=torch.float64).to(self._accelerator.device)
        return float(broadcast(told)[0])
