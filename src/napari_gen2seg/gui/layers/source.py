"""The picture being worked on: its layer, its plane in view, the model's view of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import ImageError
from napari_gen2seg.gui.layers.displayed_plane import (
    Plane,
    array_of,
    default_level,
    plane_in_view,
    read,
)
from napari_gen2seg.gui.layers.overlays import find_layer
from napari_gen2seg.session import ColorRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

MOVES = ("scale", "translate", "rotate", "shear", "affine", "units")


@dataclass(frozen=True)
class View:
    """How a layer is to be read.

    Parameters
    ----------
    level
        Pyramid level.
    channel_axis
        0 if the first axis holds channels, else None.
    partners
        ``unique_id`` of layers that give green and blue; empty for none. The
        layer itself gives red then.
    recipe
        Channels, contrast, inversion.
    """

    level: int = 0
    channel_axis: int | None = None
    partners: tuple[str, ...] = ()
    recipe: RgbRecipe = field(default_factory=RgbRecipe)

    @property
    def seen(self) -> RgbRecipe:
        """The recipe to colour by: channels of a microscope have no common contrast."""
        channels = self.channel_axis is not None or bool(self.partners)
        return replace(self.recipe, joint=False) if channels else self.recipe


class Source:
    """The chosen image layer and the plane of it that is in view.

    Parameters
    ----------
    viewer
        Where the layers are.
    """

    plane_changed = Signal()  # another plane, layer, level or channel axis
    view_changed = Signal()  # the model would see something else
    moved = Signal()  # the layer was scaled, moved or rotated
    edited = Signal(str)  # a picture, this or an earlier one, has other data now

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._id: str | None = None
        self._views: dict[str, View] = {}
        self.plane: Plane | None = None
        self.problem = "Open or drop a picture to begin."
        viewer.dims.events.point.connect(self.look)
        viewer.dims.events.ndisplay.connect(self.look)
        viewer.dims.events.order.connect(self.look)

    @property
    def layer(self) -> Image | None:
        """The image layer, if it is still there."""
        return find_layer(self._viewer, self._id)

    @property
    def layer_id(self) -> str | None:
        """``unique_id`` of the chosen layer."""
        return self._id

    def is_chosen(self, layer: Any) -> bool:
        """Whether a layer, which may be gone already, is the chosen one."""
        return str(layer.unique_id) == self._id

    @property
    def view(self) -> View:
        """How the layer is read."""
        return self._views.get(self._id or "", View())

    def view_of(self, layer: Image) -> View:
        """Return how any layer is read: as chosen before, else as guessed."""
        return self._views.get(str(layer.unique_id)) or guess_view(layer)

    def choose(self, layer: Image | None) -> None:
        """Work on another layer."""
        self._listen(False)
        self._id = None if layer is None else str(layer.unique_id)
        if layer is not None and self._id not in self._views:
            self._views[str(self._id)] = guess_view(layer)
        self._listen(True)
        self._hear()
        self.look()
        self.view_changed.emit()

    def change(self, **changes: Any) -> None:
        """Read the layer in another way; names as in :class:`View`."""
        if self._id is None:
            return
        view = replace(self.view, **changes)
        if view != self.view:
            self._views[self._id] = view
            self._hear()
            self.look()
            self.view_changed.emit()

    def look(self, _event: object = None) -> None:
        """See which plane is in view."""
        plane, problem = None, ""
        layer = self.layer
        if layer is None:
            problem = "Open or drop a picture to begin."
        else:
            try:
                view = self.view
                plane = plane_in_view(
                    self._viewer, layer, view.level, view.channel_axis
                )
            except ImageError as error:
                problem = str(error)
        if plane != self.plane or problem != self.problem:
            self.plane, self.problem = plane, problem
            self.plane_changed.emit()

    def request(self) -> ColorRequest:
        """Return the order to colour the plane in view.

        Raises
        ------
        ImageError
            If there is none, with what to do.
        """
        plane = self.plane
        if plane is None:
            raise ImageError(self.problem)
        view = self.view
        return ColorRequest(
            plane,
            plane.layer_id,
            self.reader(),
            view.seen,
            inputs=(view.partners,),
        )

    def reader(self) -> Callable[[], npt.NDArray[Any]]:
        """Return a function that reads the plane's pixels, on any thread."""
        layer, plane, view = self.layer, self.plane, self.view
        if layer is None or plane is None:
            raise ImageError(self.problem)
        parts = [(array_of(layer, plane.level), plane, layer.rgb)]
        for partner in view.partners:
            other = find_layer(self._viewer, partner)
            if other is None:
                raise ImageError(
                    "A layer chosen for a colour of the picture is gone. Choose the "
                    "colours again."
                )
            at = plane_in_view(self._viewer, other, view.level)
            if at.shape != plane.shape:
                raise ImageError(
                    f"{other.name!r} is {at.shape[0]} x {at.shape[1]} pixels and "
                    f"{layer.name!r} {plane.shape[0]} x {plane.shape[1]}; colours of "
                    "one picture must be of one size. Choose other layers."
                )
            parts.append((array_of(other, at.level), at, other.rgb))

        def pixels() -> npt.NDArray[Any]:
            planes = [read(*part) for part in parts]
            return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)

        return pixels

    def close(self) -> None:
        """Stop listening."""
        self._listen(False)
        for layer in self._viewer.layers:
            layer.events.data.disconnect(self._edited)
        for name in ("point", "ndisplay", "order"):
            getattr(self._viewer.dims.events, name).disconnect(self.look)

    def _listen(self, on: bool) -> None:
        layer = self.layer
        if layer is None:
            return
        for name in MOVES:
            event = getattr(layer.events, name)
            event.connect(self._moved) if on else event.disconnect(self._moved)

    def _hear(self) -> None:
        """Hear of other data of the picture and its partners, from now on."""
        for unique_id in (self._id, *self.view.partners):
            layer = find_layer(self._viewer, unique_id)
            if layer is not None:
                layer.events.data.connect(self._edited)

    def _moved(self, _event: object = None) -> None:
        self.look()
        self.moved.emit()

    def _edited(self, event: Any) -> None:
        changed = str(event.source.unique_id)
        for picture, view in self._views.items():
            if changed in (picture, *view.partners):
                self.edited.emit(picture)
        if changed in (self._id, *self.view.partners):
            self.look()
            self.view_changed.emit()


def guess_view(layer: Image) -> View:
    """Guess how a layer is meant: pyramid level, and whether axis 0 is channels.

    Only a name makes an axis channels: three planes may as well be three moments,
    and those must never be mixed into one picture unasked.
    """
    label = str(layer.axis_labels[0]).lower()
    named = label in ("c", "ch", "channel", "channels")
    stacked = named and layer.ndim >= 3 and not layer.rgb
    return View(level=default_level(layer), channel_axis=0 if stacked else None)
