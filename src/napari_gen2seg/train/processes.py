"""What the processes of ``accelerate launch`` must tell each other while training."""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


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
