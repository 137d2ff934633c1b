"""The model of a workflow: one that is loaded already, or one loaded just for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.common.progress import Cancel, Progress
    from napari_gen2seg.models.colorer import Colorer


@contextmanager
def loaded_model(
    model: Colorer | str | Path,
    device: str,
    dtype: str,
    progress: Progress | None,
    cancel: Cancel | None,
) -> Iterator[Colorer]:
    """Give a loaded model; one that had to be loaded is unloaded afterwards.

    Parameters
    ----------
    model
        A loaded model, or what `load_model` takes.
    device, dtype, progress, cancel
        As for `load_model`.
    """
    if not isinstance(model, (str, Path)):
        yield model
        return
    from napari_gen2seg.models.loader import load_model

    colorer = load_model(model, device, dtype, progress=progress, cancel=cancel)
    try:
        yield colorer
    finally:
        colorer.unload()
