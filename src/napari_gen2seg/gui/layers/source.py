"""The image layer being worked on, and the view of it on screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_gen2seg.core.image.checks import check_sides
from napari_gen2seg.errors import ImageError
from napari_gen2seg.gui.layers.camera import center_of
from napari_gen2seg.gui.layers.overlays import find_layer
from napari_gen2seg.gui.layers.view import (
    Box,
    ReadOptions,
    View,
    array_of,
    default_level,
    view_on_screen,
)
from napari_gen2seg.session import ColorRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

MOVES = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class Source:
    """The chosen image layer and the view of it on screen.

    Parameters
    ----------
    viewer
        Where the layers are.
    """

    plane_changed = Signal()  # another plane, layer, level or channel axis
    input_changed = Signal()  # the model would see something else
    moved = Signal()  # the layer was scaled, moved or rotated
    edited = Signal(str)  # a picture, this or an earlier one, has other data now

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._id: str | None = None
        self._options: dict[str, ReadOptions] = {}
        self._view: View | None = None
        # By layer and level: windows of large planes, the one in use last.
        self._windows: dict[tuple[Any, ...], list[Box]] = {}
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
    def view(self) -> View | None:
        """The view on screen; None where there is none, for the reason `problem`."""
        return self._view if self.layer is not None else None

    @property
    def options(self) -> ReadOptions:
        """How the layer is read."""
        return self._options.get(self._id or "", ReadOptions())

    def options_of(self, layer: Image) -> ReadOptions:
        """Return how any layer is read: as chosen before, else as guessed."""
        return self._options.get(str(layer.unique_id)) or guess_options(layer)

    def choose(self, layer: Image | None) -> None:
        """Work on another layer."""
        self._listen(False)
        self._id = None if layer is None else str(layer.unique_id)
        if layer is not None and self._id not in self._options:
            self._options[str(self._id)] = guess_options(layer)
        self._listen(True)
        self._hear()
        self.look()
        self.input_changed.emit()

    def change(self, **changes: Any) -> None:
        """Read the layer in another way; names as in `ReadOptions`."""
        if self._id is None:
            return
        options = replace(self.options, **changes)
        if options != self.options:
            self._options[self._id] = options
            self._hear()
            self.look()
            self.input_changed.emit()

    def look(self, _event: object = None) -> None:
        """See which plane is in view."""
        view, problem = None, ""
        layer = self.layer
        if layer is None:
            problem = "Open or drop a picture to begin."
        else:
            try:
                seen = view_on_screen(self._viewer, layer, self.options)
                check_sides(seen.plane_shape, repr(str(layer.name)))
                view = self._part(seen)
            except ImageError as error:
                problem = str(error)
        another = view != self._view or problem != self.problem
        self._view, self.problem = view, problem
        if another:
            self.plane_changed.emit()

    @property
    def pointed(self) -> tuple[float, float] | None:
        """(row, column) of the plane under the pointer; None where it is not on it."""
        view = self._view
        return None if view is None else view.to_plane(self._viewer.cursor.position)

    # ---- windows of large planes

    def beyond_window(self, position: tuple[float, ...] | None = None) -> bool:
        """Whether a place is on the plane, outside of the window in use.

        Parameters
        ----------
        position
            In the world; the pointer's by default.
        """
        view, at = self._view, position or self._viewer.cursor.position
        if view is None or view.window is None or view.to_plane(at) is not None:
            return False
        return view.through(None).to_plane(at) is not None

    @property
    def windows(self) -> list[Box]:
        """Windows of the plane that were looked at, the one in use last."""
        view = self._view
        return [] if view is None else list(self._windows.get(_whole(view), []))

    def look_around(self, place: tuple[float, float]) -> None:
        """Look at the window of a large plane around a place.

        One that was looked at before is taken where the place lies well inside.

        Parameters
        ----------
        place
            (row, column) counted from the first pixel of the plane.
        """
        view = self._view
        if view is None or view.window is None:
            return
        known = [one for one in self.windows[::-1] if _well_inside(view, one, place)]
        self.use_window(known[0] if known else view.window_around(place))

    def look_here(self) -> None:
        """Look at the window of a large plane in the middle of the canvas."""
        view = self._view
        if view is not None and view.window is not None:
            self.look_around(self._middle(view))

    def use_window(self, window: Box) -> None:
        """Look at a window of the plane."""
        view = self._view
        if view is None or view.window == window:
            return
        windows = self._windows.setdefault(_whole(view), [])
        if window in windows:
            windows.remove(window)
        windows.append(window)
        self.look()

    def _part(self, view: View) -> View:
        """Return the window of a large plane that is in use; else all of the plane."""
        if not (view.large and self.options.windows):
            return view
        windows = self._windows.setdefault(_whole(view), [])
        if not windows:
            windows.append(view.window_around(self._middle(view)))
        return view.through(windows[-1])

    def _middle(self, view: View) -> tuple[float, float]:
        """Return the place of a plane in the middle of the canvas."""
        at = view.to_pixels(center_of(self._viewer))
        row, col = (float(at[axis]) for axis in view.axes)
        return row, col

    def request(self, view: View | None = None) -> ColorRequest:
        """Return the order to color a plane of the chosen layer.

        Parameters
        ----------
        view
            The plane; by default the one in view.

        Raises
        ------
        ImageError
            If there is none, with what to do.
        """
        view = view or self.view
        if view is None:
            raise ImageError(self.problem)
        return ColorRequest(
            view,
            view.layer_id,
            self.reader(view),
            view.recipe,
            inputs=(view.partners,),
            size=view.shape,
        )

    def reader(self, view: View | None = None) -> Callable[[], npt.NDArray[Any]]:
        """Return a function that reads the plane's pixels, on any thread."""
        layer, view = self.layer, view or self.view
        if layer is None or view is None:
            raise ImageError(self.problem)
        parts = [(view, array_of(layer, view.level), layer.rgb)]
        for partner in view.partners:
            other = find_layer(self._viewer, partner)
            if other is None:
                raise ImageError(
                    "A layer chosen for a color of the picture is gone. Choose the "
                    "colors again."
                )
            at = view_on_screen(self._viewer, other, ReadOptions(view.level))
            if at.sizes == view.sizes:
                # Of a plane that need not be on screen.
                at = at.at(view.index).through(view.window)
            if at.shape != view.shape:
                raise ImageError(
                    f"{other.name!r} is {at.shape[0]} x {at.shape[1]} pixels and "
                    f"{layer.name!r} {view.shape[0]} x {view.shape[1]}; colors of "
                    "one picture must be of one size. Choose other layers."
                )
            parts.append((at, array_of(other, at.level), other.rgb))

        def pixels() -> npt.NDArray[Any]:
            planes = [at.read(data, rgb) for at, data, rgb in parts]
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
        """Hear of other data of the image and its partners, from now on."""
        for unique_id in (self._id, *self.options.partners):
            layer = find_layer(self._viewer, unique_id)
            if layer is not None:
                layer.events.data.connect(self._edited)

    def _moved(self, _event: object = None) -> None:
        self.look()
        self.moved.emit()

    def _edited(self, event: Any) -> None:
        changed = str(event.source.unique_id)
        for layer_id, options in self._options.items():
            if changed in (layer_id, *options.partners):
                self.edited.emit(layer_id)
        if changed in (self._id, *self.options.partners):
            self.look()
            self.input_changed.emit()


def guess_options(layer: Image) -> ReadOptions:
    """Guess how a layer is meant: pyramid level, and whether axis 0 is channels.

    Only a name makes an axis channels: three planes may as well be three moments,
    and those must never be mixed into one picture unasked.
    """
    label = str(layer.axis_labels[0]).lower()
    named = label in ("c", "ch", "channel", "channels")
    stacked = named and layer.ndim >= 3 and not layer.rgb
    return ReadOptions(default_level(layer), 0 if stacked else None)


def _whole(view: View) -> tuple[Any, ...]:
    """Return what has windows in common: the planes of a layer at a level."""
    return view.layer_id, view.axes, view.sizes, view.level


def _well_inside(view: View, window: Box, place: tuple[float, float]) -> bool:
    """Whether a place is not near the rim of a window, that of the plane aside."""
    for at, low, high, size in zip(
        place, window[:2], window[2:], view.plane_shape, strict=True
    ):
        rim = (high - low) / 8
        if (low > 0 and at < low + rim) or (high < size and at > high - rim):
            return False
    return True
