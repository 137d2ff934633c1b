"""One process or several of ``accelerate launch``, with one face.

Gradients are averaged by hand after backward: no wrapper stands between the network
that trains and the colorer that previews it.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class Distributed:
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


def join_processes(**settings: Any) -> Any:
    """Return accelerate's ``Accelerator`` (these are its settings) until the exit.

    A process that ends with its group alive is aborted now and then by gloo's threads,
    and the launcher then calls a finished training failed.
    """
    from accelerate import Accelerator

    accelerator = Accelerator(**settings)
    atexit.register(_leave)
    return accelerator


def _leave() -> None:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def average_gradients(accelerator: Any, parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes; none counts as zero.

    By hand rather than by a wrapper around the network: the losses call parts of it
    directly, which no wrapper would notice.
    """
    if accelerator.num_processes == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad.copy_(accelerator.reduce(parameter.grad, "mean"))


def first_of(accelerator: Any, value: float) -> float:
    """Return the first process's number: clocks differ, rates must not."""
    if accelerator.num_processes == 1:
        return value
    mine = value if accelerator.is_main_process else 0.0
    told = torch.tensor(mine, dtype=torch.float32, device=accelerator.device)
    return float(accelerator.reduce(told, "sum"))


def any_of(accelerator: Any, answer: bool) -> bool:
    """Return whether any process says yes; all must ask at the same time."""
    if accelerator.num_processes == 1:
        return answer
    told = torch.tensor(float(answer), device=accelerator.device)
    return bool(accelerator.reduce(told, "sum") > 0)
