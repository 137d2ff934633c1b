"""Label number of the object being clicked; resuming an unfinished object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.gui.annotate.commit import CommitError
from napari_gen2seg.gui.annotate.labels_target import LAST_NUMBER, on_same_grid
from napari_gen2seg.gui.annotate.points_table import objects_of, signs_of
from napari_gen2seg.gui.layers.overlays import DRAWN, role_of, source_of
from napari_gen2seg.gui.layers.view import array_of

if TYPE_CHECKING:
    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Labels, Points

    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.points_layer import Clicks
    from napari_gen2seg.gui.layers.view import View


class ObjectNumbers:
    """Keeps the object being clicked from taking the number of another.

    Only an object that a person went back to is replaced by the next commit.

    Parameters
    ----------
    clicks, objects
        What is being clicked, and where it goes.
    """

    def __init__(self, clicks: Clicks, objects: Objects) -> None:
        self._clicks, self._objects = clicks, objects
        self._back_in: str | None = None  # layer in which an object was gone back to

    def go_on(self) -> None:
        """Go on to a free number."""
        self._clicks.number = self.free()
        self._back_in = None

    def go_back(self, number: int, layer: str | None = None) -> None:
        """Go to a number, meaning the object that has it in a layer.

        Parameters
        ----------
        number
            The object.
        layer
            Name of the Labels layer; by default the one that takes the objects.
        """
        self._clicks.number = max(1, number)
        meant = layer in (None, self._objects.name)
        self._back_in = self._objects.layer_id if meant else None

    def take_up(self, number: int) -> None:
        """Go on with an object that was clicked but never kept: it replaces none."""
        self._clicks.number = number
        self._back_in = None

    def fit(self) -> None:
        """Take the first free number, and the clicks along, in another layer."""
        if not self.back:
            self._clicks.renumber(min(self._objects.tally.highest, LAST_NUMBER - 1) + 1)

    @property
    def current(self) -> int:
        """The object being clicked."""
        return self._clicks.number

    @property
    def taken(self) -> bool:
        """Whether another object may have the number."""
        return not self.back and self._clicks.number <= self._objects.tally.highest

    def settle(self) -> None:
        """Take a free number, and the clicks along, if this one is taken.

        Raises
        ------
        CommitError
            If that is not known yet.
        """
        if not self.back and not self._objects.tally.known:
            raise CommitError(
                f"The objects of {self._objects.name!r} are still being counted, so "
                "that this one gets a free number. Commit it in a moment, or choose a "
                "number."
            )
        if self.taken:
            free = self.free()
            if free == self._objects.tally.highest:
                raise CommitError.of_layer(
                    f"{self._objects.name!r} is full: its highest number, {free}, is "
                    "the last that an object can have. Choose a new layer, or a copy "
                    "numbered anew.",
                    True,
                )
            self._clicks.renumber(free)

    @property
    def back(self) -> bool:
        """Whether a person went back to an object of the layer that takes them."""
        return self._back_in is not None and self._back_in == self._objects.layer_id

    def free(self) -> int:
        """Return a number above those of all objects, kept or clicked."""
        return min(
            max(self._objects.tally.highest, self._clicks.highest()) + 1, LAST_NUMBER
        )


def kept_objects(viewer: ViewerModel, objects: Objects, view: View) -> Labels | None:
    """Return the Labels layer that takes an image's objects, if there is one.

    The topmost of ours, else one that was opened from a file and has the same pixels.
    """
    from napari.layers import Labels

    for layer in reversed(viewer.layers):
        if source_of(layer) == view.layer_id and objects.suits(layer, view):
            return layer
    for layer in reversed(viewer.layers):
        opened = isinstance(layer, Labels) and role_of(layer) is None
        if opened and on_same_grid(layer, view):
            return layer
    return None


def unfinished_object(viewer: ViewerModel, clicks: Points | None) -> int | None:
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
        if not isinstance(layer, Labels) or role_of(layer) in DRAWN:
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
