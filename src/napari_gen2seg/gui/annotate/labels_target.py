"""Whether a Labels layer can take objects, and if not why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_gen2seg.gui.layers.view import View

LAST_NUMBER = 2**31 - 1  # of an object, as fields of the window take it


def on_same_grid(labels: Labels, view: View) -> bool:
    """Whether a Labels layer has the pixels of a view's image, one for one."""
    if labels.multiscale:
        return False
    wanted = view.placement()
    return (
        tuple(labels.data.shape) == view.own_sizes
        and np.allclose(labels.scale, wanted["scale"])
        and np.allclose(labels.translate, wanted["translate"])
        and np.allclose(labels.rotate, wanted["rotate"])
        and np.allclose(labels.affine.affine_matrix, wanted["affine"])
    )


def is_read_only(data: object) -> bool:
    """Whether an array can be looked at but not written into."""
    flags = getattr(data, "flags", None)
    return getattr(flags, "writeable", True) is False or bool(
        getattr(data, "read_only", False)
    )


def copyable(labels: Labels, view: View) -> bool:
    """Whether an editable copy of a layer could take what the layer cannot."""
    return labels.ndim == view.ndim


def editable_copy(labels: Labels, metadata: dict[str, object]) -> Labels:
    """Return a Labels layer with the same objects, in an array of its own.

    Numbers stay, unless none would be left for another object: then they begin at 1.

    Parameters
    ----------
    labels
        Of any kind; of a pyramid the full size is taken.
    metadata
        Of the copy.
    """
    from napari.layers import Labels
    from skimage.segmentation import relabel_sequential

    from napari_gen2seg.gui.layers.transform import LayerTransform

    whole = np.array(labels.data[0] if labels.multiscale else labels.data)
    if whole.max(initial=0) >= LAST_NUMBER:
        whole = relabel_sequential(whole)[0]
    where = LayerTransform.of(labels)
    ndim = labels.ndim
    return Labels(
        whole.astype(np.int32),
        name=f"{labels.name} (copy)",
        metadata=metadata,
        **where.placement(np.ones(ndim), np.zeros(ndim)),
    )


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
    if is_read_only(labels.data):
        return (
            f"{labels.name!r} is read-only, as files that were opened for looking are. "
            "Choose another layer or a new one, or a copy of it."
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
