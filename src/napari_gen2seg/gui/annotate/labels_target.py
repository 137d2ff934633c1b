"""Whether a Labels layer can take objects, and if not why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_gen2seg.gui.layers.view import View


def why_not(labels: Labels, view: View) -> str | None:
    """Say why a Labels layer cannot take masks of a view; None if it can."""
    if labels.multiscale:
        return (
            f"{labels.name!r} is a pyramid, and napari cannot write into those. Choose "
            "another layer or a new one."
        )
    if not hasattr(labels.data, "__setitem__") or hasattr(labels.data, "dask"):
        return (
            f"{labels.name!r} holds a lazy {type(labels.data).__name__} that cannot be "
            "written into. Choose another layer or a new one, or make it a plain array."
        )
    if not labels.editable:
        return (
            f"{labels.name!r} is locked against editing. Unlock it, or choose another."
        )
    if labels.ndim != view.ndim:
        return (
            f"{labels.name!r} has {labels.ndim} dimensions and the picture has "
            f"{view.ndim}. Choose a layer with as many, or a new one."
        )
    return None
