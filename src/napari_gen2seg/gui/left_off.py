"""Where somebody left off on a picture: its objects, and the one half clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.gui.click_table import objects_of, signs_of
from napari_gen2seg.gui.layers import PREVIEW, role_of, source_of
from napari_gen2seg.gui.planes import array_of

if TYPE_CHECKING:
    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Labels, Points

    from napari_gen2seg.gui.objects import Objects
    from napari_gen2seg.gui.planes import Plane


def kept_objects(viewer: ViewerModel, objects: Objects, plane: Plane) -> Labels | None:
    """Return the topmost of our Labels layers that takes a picture's objects."""
    for layer in reversed(viewer.layers):
        if source_of(layer) == plane.layer_id and objects.suits(layer, plane):
            return layer
    return None


def half_clicked(viewer: ViewerModel, clicks: Points | None) -> int | None:
    """Return the newest object of a prompt layer if it was clicked and never kept.

    It counts as kept where any Labels layer holds something under its clicks: to
    begin a new object is harmless, to add to one that is done is not.
    """
    from napari.layers import Labels

    if clicks is None or not len(clicks.data):
        return None
    of = objects_of(clicks, 1)
    number = int(of.max())
    mine = clicks.data[(of == number) & (signs_of(clicks) > 0)]
    places = [clicks.data_to_world(at) for at in mine]
    for layer in viewer.layers:
        if not isinstance(layer, Labels) or role_of(layer) == PREVIEW:
            continue
        if source_of(layer) not in (None, source_of(clicks)):
            continue  # of another picture in the same place
        if any(_holds(layer, at) for at in places):
            return None
    return number if places else None


def _holds(layer: Labels, position: npt.ArrayLike) -> bool:
    """Whether a Labels layer holds an object at a place in the world."""
    data = array_of(layer, 0)
    where = np.rint(layer.world_to_data(position)).astype(int)
    inside = (where >= 0).all() and (where < data.shape).all()
    return bool(inside and np.asarray(data[tuple(where.tolist())]) != 0)
