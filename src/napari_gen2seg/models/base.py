"""What the two families share: `color`, the lane's lock, and short memory.

When a forward pass does not fit, it is tried again after the next of these steps,
and the step is written into ``reason`` and ``notes``:

1. pictures one at a time instead of as a batch,
2. half-size numbers (only where the plugin chose the number type itself),
3. the autoencoder in tiles (`sd` only),
4. the CPU (only where the plugin chose the device itself).
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_gen2seg.core.rgb import rgb_key, to_rgb
from napari_gen2seg.errors import MemoryShortError, ModelError
from napari_gen2seg.models.device import DeviceChoice
from napari_gen2seg.models.facts import ModelFacts
from napari_gen2seg.models.hooks import Cancel, Progress, check_cancel, report
from napari_gen2seg.models.pixels import to_tensor, to_values
from napari_gen2seg.models.resolution import check_resolution, choose_resolution
from napari_gen2seg.models.spec import ModelSpec

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring

Rgb = NDArray[np.float32]


class BaseColorer:
    """Common part of `SdColorer` and `MaeColorer`.

    Parameters
    ----------
    net
        The network, on the CPU, in the number type of ``choice``.
    spec, facts
        What is known about the model.
    choice
        Device, number type and reason.
    """

    #: Whether the family has an autoencoder that can work in tiles.
    can_tile = False

    def __init__(
        self, net: nn.Module, spec: ModelSpec, facts: ModelFacts, choice: DeviceChoice
    ) -> None:
        self._net: nn.Module | None = net
        self._spec = spec
        self._facts = facts
        self._choice = choice
        self._notes: list[str] = []
        self._tiled = False
        self._lock = threading.RLock()
        self._place()

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._choice.device

    @property
    def dtype(self) -> str:
        """Number type."""
        return self._choice.dtype

    @property
    def reason(self) -> str:
        """Why this device and number type, and what was changed since."""
        return " ".join([self._choice.reason, *self._notes])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done about short memory, in order."""
        return tuple(self._notes)

    @property
    def spec(self) -> ModelSpec:
        """The model's facts; ``revision`` is the commit really used."""
        return self._spec

    @property
    def facts(self) -> ModelFacts:
        """What the model folder says about the model."""
        return self._facts

    @property
    def net(self) -> nn.Module:
        """The network.

        Raises
        ------
        ModelError
            If the model was unloaded.
        """
        if self._net is None:
            raise ModelError(
                f"The model {self._spec.id!r} has been unloaded; load it again first."
            )
        return self._net

    def color(
        self,
        image: Any,
        resolution: int | None = None,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Coloring:
        """Colour one picture; see `napari_gen2seg.models.colorer.Colorer.color`."""
        from napari_gen2seg.core.coloring import Coloring

        # 1. resolve and check
        rgb = to_rgb(image)  # float32 (H, W, 3), 0..1
        if resolution is None:
            resolution = choose_resolution(rgb, self._facts)
        resolution = check_resolution(resolution)
        check_cancel(cancel, "Colouring")
        # 2. predict
        report(progress, 0.1, f"Colouring at {resolution} pixels")
        with self._lock:
            check_cancel(cancel, "Colouring")
            values = self._predict([rgb], resolution, cancel)[0]  # (h, w, 3), 0..255
        check_cancel(cancel, "Colouring")
        # 3. wrap
        report(progress, 1.0, "Coloured")
        return Coloring(
            values=values,
            source_shape=(rgb.shape[0], rgb.shape[1]),
            model_id=self._spec.id,
            revision=self._spec.revision,
            resolution=resolution,
            source_key=rgb_key(rgb),
        )

    def predict_rgb(self, rgb: Rgb, resolution: int) -> Rgb:
        """Return the map (h, w, 3) in 0..255 of one RGB (H, W, 3) in 0..1."""
        return self.predict_many([rgb], resolution)[0]

    def predict_many(self, pictures: Sequence[Rgb], resolution: int) -> list[Rgb]:
        """Return the maps of several RGB pictures; equal sizes go as one batch."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, rgb in enumerate(pictures):
            groups.setdefault(rgb.shape, []).append(index)
        maps: dict[int, Rgb] = {}
        with self._lock:
            for members in groups.values():
                done = self._predict([pictures[i] for i in members], resolution, None)
                maps.update(zip(members, done, strict=True))
        return [maps[i] for i in range(len(pictures))]

    def unload(self) -> None:
        """Free the memory. The colorer cannot be used afterwards."""
        with self._lock:
            self._net = None
            self._free()

    def _forward(self, pictures: Tensor, resolution: int) -> Tensor:
        """Map (B, 3, H, W) in 0..1, float32, to (B, 3, h, w) in 0..255, float32."""
        raise NotImplementedError

    def _tile(self) -> None:
        """Make the autoencoder work in tiles (families with ``can_tile``)."""

    def _predict(
        self, pictures: Sequence[Rgb], resolution: int, cancel: Cancel | None
    ) -> list[Rgb]:
        """Run the forward pass, stepping down while memory is short."""
        batch = len(pictures)
        while True:
            short = False
            try:
                maps: list[Rgb] = []
                for start in range(0, len(pictures), batch):
                    check_cancel(cancel, "Colouring")
                    chunk = pictures[start : start + batch]
                    maps += self._run(chunk, resolution)
                return maps
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                short = True
            # Outside of the except clause, so that the failed pass's frames (and the
            # tensors they hold) are gone before the next try.
            if short:
                self._free()
                check_cancel(cancel, "Colouring")
                if batch > 1:
                    batch = 1
                    self._note("Memory was short: pictures go one at a time.")
                else:
                    self._step_down(resolution)

    def _run(self, pictures: Sequence[Rgb], resolution: int) -> list[Rgb]:
        """Run one batch of equally sized pictures."""
        with torch.inference_mode():
            stacked = torch.cat([to_tensor(rgb, self.device) for rgb in pictures])
            return to_values(self._forward(stacked, resolution))

    def _step_down(self, resolution: int) -> None:
        """Take the next step for short memory.

        Raises
        ------
        MemoryShortError
            If there is none left.
        """
        for step in self._steps():
            note = step()
            if note:
                self._note(f"Memory was short: {note}")
                self._free()
                return
        raise MemoryShortError(
            f"Colouring at {resolution} pixels does not fit into the memory of "
            f"{self.device!r}, whatever was tried. Choose a lower resolution or a "
            "smaller model, or close other programs."
        )

    def _steps(self) -> tuple[Callable[[], str], ...]:
        """Return the steps in the order they are tried; each says what it did."""
        return (self._to_half, self._to_tiles, self._to_cpu)

    def _to_half(self) -> str:
        if self.dtype != "float32" or self._choice.asked_dtype:
            return ""
        dtype = "float16" if self._choice.kind == "mps" else "bfloat16"
        self._choice = replace(self._choice, dtype=dtype)
        self._place()
        return f"numbers are {dtype} now."

    def _to_tiles(self) -> str:
        if not self.can_tile or self._tiled:
            return ""
        self._tiled = True
        self._tile()
        return "the autoencoder works in tiles now."

    def _to_cpu(self) -> str:
        if self._choice.kind == "cpu" or self._choice.asked_device:
            return ""
        self._choice = replace(self._choice, device="cpu")
        self._place()
        return "computing on the CPU now."

    def _place(self) -> None:
        """Bring the network to the chosen device and number type."""
        net = self.net
        net.to(self._choice.device, getattr(torch, self._choice.dtype))
        net.requires_grad_(False).eval()

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def _free(self) -> None:
        """Give unused memory back."""
        gc.collect()
        if self._choice.kind == "cuda" or torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        elif self._choice.kind == "mps":
            torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell an allocation that failed from any other error."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text
