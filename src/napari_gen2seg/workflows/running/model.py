"""The model of a process: which one, and loaded once however many calls need it."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.models.spec import ModelSpec


@runtime_checkable
class ModelSource(Protocol):
    """Gives a loaded model."""

    def colorer(self) -> Colorer:
        """Return it; the same one each time in a process."""
        ...


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that this process has loaded."""

    model: Any

    def colorer(self) -> Colorer:
        """Return it."""
        model: Colorer = self.model
        return model


@dataclass(frozen=True)
class ModelChoice:
    """A model by name; every process loads it once, when it first needs it.

    Attributes
    ----------
    model, device, dtype, revision, accept_licence, compiled
        As for `load_model`.
    """

    model: str = "mini"
    device: str = "auto"
    dtype: str = "auto"
    revision: str | None = None
    accept_licence: bool = False
    compiled: bool = False

    def spec(self) -> ModelSpec:
        """Return what is known of it, without loading it; a hub model is fetched."""
        from napari_gen2seg.models.registry import find

        found = find(self.model)
        if found.source != "hub":
            return found
        from napari_gen2seg.models.hub.download import fetch

        return fetch(found, self.revision, accept=self.accept_licence)

    def colorer(self) -> Colorer:
        """Return the loaded model."""
        with _lock:
            if self not in _loaded:
                from napari_gen2seg.models.loader import load_model

                for other in _loaded.values():  # one model a process
                    other.unload()
                _loaded.clear()
                _loaded[self] = load_model(
                    self.model,
                    _own_device(self.device),
                    self.dtype,
                    self.revision,
                    accept_licence=self.accept_licence,
                    compiled=self.compiled,
                )
            return _loaded[self]


def _own_device(device: str) -> str:
    """Return the GPU of a worker of this computer, where there are several of both."""
    if device not in ("auto", "cuda") or "distributed" not in sys.modules:
        return device
    import torch
    from distributed import get_worker

    try:
        number = get_worker().name
    except ValueError:  # this process is no worker
        return device
    count = torch.cuda.device_count()
    if not isinstance(number, int) or count < 2:
        return device
    return f"cuda:{number % count}"


_lock = threading.Lock()
_loaded: dict[ModelChoice, Colorer] = {}


def unload() -> None:
    """Free the memory of the model that this process loaded."""
    with _lock:
        for model in _loaded.values():
            model.unload()
        _loaded.clear()
