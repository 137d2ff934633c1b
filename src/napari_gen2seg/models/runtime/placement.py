"""A network on a device, and what is done when memory is short.

Each step is taken once, in this order, and written into ``notes``:

1. half-size numbers (only where the plugin chose the number type itself),
2. the autoencoder in tiles of 512, then 256 pixels (where there is one),
3. the CPU (only where the plugin chose the device itself).
"""

from __future__ import annotations

import ctypes
import gc
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from napari_gen2seg.errors import MemoryShortError, ModelError
from napari_gen2seg.models.runtime.device import free_main_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from napari_gen2seg.models.runtime.device import DeviceChoice


class DevicePlacement:
    """A network, where it is, and why.

    Parameters
    ----------
    net
        The network, on the CPU.
    choice
        Where it shall be.
    name
        The model's id, for messages.
    tile
        Makes the network's autoencoder work in tiles of so many pixels; None where
        it has none.

    Raises
    ------
    MemoryShortError
        If it fits nowhere it may go.
    """

    def __init__(
        self,
        net: nn.Module,
        choice: DeviceChoice,
        name: str,
        tile: Callable[[nn.Module, int], None] | None = None,
    ) -> None:
        self._net: nn.Module | None = net
        self._tile = tile
        self._tile_sizes = [256, 512]
        self._name = name
        self._notes: list[str] = []
        self.choice = choice
        while True:
            try:
                self._place()
                break
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
            self.step_down(f"Loading the model {name!r}")
        self.free()  # reading the files leaves as much behind as a third of them

    @property
    def net(self) -> nn.Module:
        """The network.

        Raises
        ------
        ModelError
            If it was unloaded.
        """
        if self._net is None:
            raise ModelError(
                f"The model {self._name!r} has been unloaded; load it again first."
            )
        return self._net

    @property
    def torch_dtype(self) -> torch.dtype:
        """The number type as torch names it."""
        found: torch.dtype = getattr(torch, self.choice.dtype)
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done about short memory or narrow numbers, in order."""
        return tuple(self._notes)

    def note(self, text: str) -> None:
        """Remember what was done, once."""
        if text not in self._notes:
            self._notes.append(text)

    def step_down(self, what: str) -> None:
        """Take the next step for short memory.

        Parameters
        ----------
        what
            What did not fit, as the beginning of a sentence.

        Raises
        ------
        MemoryShortError
            If there is none left.
        """
        self.free()
        for step in (self._to_half, self._to_tiles, self._to_cpu):
            done = step()
            if done:
                self.note(f"Memory was short: {done}")
                self.free()
                return
        raise MemoryShortError(
            f"{what} does not fit into the memory of {self.choice.device!r}, whatever "
            "was tried. Choose a lower resolution or a smaller model, or close other "
            "programs."
        )

    def to_float32(self) -> None:
        """Answer values that are no numbers with wider ones.

        Raises
        ------
        ModelError
            If the type is float32 already: the weights themselves are at fault.
        """
        if self.choice.dtype == "float32":
            raise ModelError(
                f"The model {self._name!r} gave values that are no numbers, even in "
                "float32: its weights are damaged. Download or copy the model again."
            )
        self.note(f"Values ran over in {self.choice.dtype}: they are float32 now.")
        self.choice = replace(self.choice, dtype="float32", asked_dtype=True)
        self._place()

    def unload(self) -> None:
        """Forget the network and give its memory back."""
        self._net = None
        self.free()

    def free(self) -> None:
        """Give unused memory back to the device."""
        gc.collect()
        _trim()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        elif self.choice.kind == "mps":
            torch.mps.empty_cache()

    def _place(self) -> None:
        """Bring the network to the chosen device and number type."""
        net = self.net
        net.to(self.choice.device, self.torch_dtype)
        net.to(memory_format=torch.channels_last)
        net.requires_grad_(False).eval()

    def _to_half(self) -> str:
        if self.choice.dtype != "float32" or self.choice.asked_dtype:
            return ""
        dtype = "float16" if self.choice.kind == "mps" else "bfloat16"
        # On the CPU first, where both widths have room beside each other.
        self.net.cpu()
        self.choice = replace(self.choice, dtype=dtype)
        self._place()
        return f"numbers are {dtype} now."

    def _to_tiles(self) -> str:
        if self._tile is None or not self._tile_sizes:
            return ""
        size = self._tile_sizes.pop()
        self._tile(self.net, size)
        return f"the autoencoder works in tiles of {size} pixels now."

    def _to_cpu(self) -> str:
        if self.choice.kind == "cpu" or self.choice.asked_device:
            return ""
        choice, net = self.choice.on_cpu(), self.net
        wide = sum(4 * parameter.numel() for parameter in net.parameters())
        if choice.dtype == "float32" and wide > free_main_memory():
            choice = replace(choice, dtype=self.choice.dtype)
        self.choice = choice
        self._place()
        return "computing on the CPU now."


def _trim() -> None:
    """Ask the C library to give freed memory back to the system (glibc only)."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return


# What the libraries below torch say instead of "out of memory".
_SHORT_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",  # the same on Windows
    "alloc_failed",
    "bad_alloc",
    "could not create a primitive",
    "could not create a memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell an allocation that failed from any other error."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return any(words in text for words in _SHORT_MEMORY)
