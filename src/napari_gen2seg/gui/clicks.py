"""The prompt layer: where clicks live, and the keys that work while it is selected."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_gen2seg.gui.layers import (
    PROMPTS,
    find_layer,
    keep_selection,
    mark,
    place,
    role_of,
    source_of,
)
from napari_gen2seg.gui.planes import Plane, level_factors, placement
from napari_gen2seg.session.prompts import Prompts, column, read_prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.components import ViewerModel
    from napari.layers import Image, Layer, Points

SIGN, OBJECT = "sign", "object"
CYCLE = {1: "#27e833", -1: "#ff2a55"}
Whole = npt.NDArray[np.int64]
NEGATIVE = ("Shift", "Alt")  # modifiers that turn a click into a negative one


class Clicks:
    """Reads and writes the Points layer that holds the prompts.

    The layer is the truth: events only say "look again", and every look reads it
    whole.

    Parameters
    ----------
    viewer
        Where the layer is.
    """

    changed = Signal()
    commit_asked = Signal()
    undo_asked = Signal()
    clear_asked = Signal()
    sign_changed = Signal(int)
    tolerance_asked = Signal(int)  # a step up (+1) or down (-1)

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._id: str | None = None
        self._sign = 1
        self._number = 1

    # ---- the layer

    @property
    def layer(self) -> Points | None:
        """The prompt layer, if it is there."""
        return find_layer(self._viewer, self._id)

    @property
    def layer_id(self) -> str | None:
        """``unique_id`` of the prompt layer."""
        return self._id

    def ensure(self, source: Image, plane: Plane) -> Points:
        """Return the prompt layer of a source; find it, or make it."""
        layer = self.layer
        if layer is not None and self._fits(layer, plane):
            return layer
        self.release()
        layer = next(
            (one for one in self._viewer.layers if self._fits(one, plane)), None
        )
        if layer is None:
            layer = self._make(source, plane)
        self._id = str(layer.unique_id)
        self._connect(layer)
        layer.visible = True
        self._set_defaults(layer)
        return layer

    def release(self) -> None:
        """Let go of the present layer: it stays, hidden, with its clicks."""
        layer = self.layer
        self._id = None
        if layer is not None:
            self._disconnect(layer)
            layer.visible = False

    def close(self) -> None:
        """Leave the layer as it is and stop listening."""
        layer = self.layer
        self._id = None
        if layer is not None:
            self._disconnect(layer)

    def activate(self) -> None:
        """Select the layer, ready for clicks."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.selection.active = layer
            layer.mode = "add"

    def follow(self, source: Image, plane: Plane) -> None:
        """Move the layer after the source was moved, scaled or rotated."""
        layer = self.layer
        if layer is not None and self._fits(layer, plane):
            place(layer, _over(source, plane))

    # ---- reading

    def read(self, source: Image, plane: Plane, number: int | None = None) -> Prompts:
        """Return the clicks of an object (by default the current one) on a plane."""
        layer = self.layer
        if layer is None or not self._fits(layer, plane):
            return Prompts()
        data, signs, objects = self._table(source, plane, layer)
        wanted = self._number if number is None else number
        return read_prompts(
            data, signs, objects, plane.own_axes, plane.own_index, wanted
        )

    def _table(
        self, source: Image, plane: Plane, layer: Points
    ) -> tuple[npt.NDArray[np.float64], Whole, Whole]:
        """Read the whole layer: positions in pixels of the level, signs, objects."""
        data = np.asarray(layer.data, np.float64).reshape(-1, plane.ndim)
        factors = level_factors(source, plane.level)[plane.first :]
        table, count = layer.features, len(data)
        signs = column(table.get(SIGN), count, 1)
        objects = column(table.get(OBJECT), count, self._number)
        return (data + 0.5) / factors - 0.5, signs, objects

    def highest(self) -> int:
        """Return the highest object number that has clicks; 0 without any."""
        layer = self.layer
        if layer is None or not len(layer.data):
            return 0
        return int(
            column(layer.features.get(OBJECT), len(layer.data), self._number).max()
        )

    # ---- changing

    @property
    def sign(self) -> int:
        """What a plain click means: +1 keep, -1 leave out."""
        return self._sign

    @sign.setter
    def sign(self, sign: int) -> None:
        if sign != self._sign:
            self._sign = sign
            self._set_defaults(self.layer)
            self.sign_changed.emit(sign)

    @property
    def number(self) -> int:
        """The number that new clicks get."""
        return self._number

    @number.setter
    def number(self, number: int) -> None:
        self._number = number
        self._set_defaults(self.layer)
        self.show_current()

    def show_current(self) -> None:
        """Show the current object's clicks; those of others stay, out of sight."""
        layer = self.layer
        if layer is None:
            return
        objects = column(layer.features.get(OBJECT), len(layer.data), self._number)
        shown = objects == self._number
        if not np.array_equal(shown, layer.shown):
            layer.selected_data = set()
            layer.shown = shown

    def add(
        self, source: Image, plane: Plane, point: tuple[float, float], sign: int = 1
    ) -> None:
        """Add a click of the current object at (row, column) of a plane."""
        layer = self.ensure(source, plane)
        at = np.array(plane.own_index, np.float64)
        at[list(plane.own_axes)] = point
        self._set_defaults(layer, sign)
        layer.add((at + 0.5) * level_factors(source, plane.level)[plane.first :] - 0.5)

    def take_last(self, source: Image, plane: Plane) -> bool:
        """Remove the current object's last click on a plane; say if there was one."""
        return self._remove(source, plane, last_only=True)

    def clear(self, source: Image, plane: Plane) -> bool:
        """Remove the current object's clicks on a plane; say if there were any."""
        return self._remove(source, plane, last_only=False)

    def drop_outside(self, source: Image, plane: Plane) -> bool:
        """Remove the current object's clicks outside the picture; say if any."""
        inside = np.array(
            [
                all(-0.5 <= x < n - 0.5 for x, n in zip(at, plane.shape, strict=True))
                for at in self.read(source, plane).points
            ],
            bool,
        )
        if inside.all():
            return False
        layer = self.layer
        if layer is not None:
            layer.selected_data = set(self._rows(source, plane)[~inside].tolist())
            layer.remove_selected()
        return True

    def _remove(self, source: Image, plane: Plane, *, last_only: bool) -> bool:
        layer = self.layer
        rows = self._rows(source, plane)
        if layer is None or not rows.size:
            return False
        layer.selected_data = {int(rows[-1])} if last_only else set(rows.tolist())
        layer.remove_selected()
        return True

    def _rows(self, source: Image, plane: Plane) -> npt.NDArray[np.intp]:
        """Return which points are the current object's clicks on a plane."""
        layer = self.layer
        if layer is None or not self._fits(layer, plane):
            return np.zeros(0, np.intp)
        data, _, objects = self._table(source, plane, layer)
        chosen = objects == self._number
        for axis, at in enumerate(plane.own_index):
            if axis not in plane.own_axes:
                chosen &= np.rint(data[:, axis]) == at
        return np.flatnonzero(chosen)

    # ---- making and listening

    def _fits(self, layer: Layer, plane: Plane) -> bool:
        return (
            role_of(layer) == PROMPTS
            and source_of(layer) == plane.layer_id
            and layer.ndim == plane.ndim
        )

    def _make(self, source: Image, plane: Plane) -> Points:
        from napari.layers import Points

        layer = Points(
            np.empty((0, plane.ndim)),
            ndim=plane.ndim,
            name="clicks",
            features={SIGN: np.empty(0, int), OBJECT: np.empty(0, int)},
            size=10,
            border_color="white",
            border_width=0.12,
            canvas_size_limits=(9, 15),
            metadata=mark(PROMPTS, plane.layer_id),
            **_over(source, plane),
        )
        layer.face_color_cycle = CYCLE
        with warnings.catch_warnings():
            # napari says that two whole numbers look categorical. They are.
            warnings.simplefilter("ignore", RuntimeWarning)
            layer.face_color = SIGN
        with keep_selection(self._viewer):
            self._viewer.add_layer(layer)
        return layer

    def _set_defaults(self, layer: Points | None, sign: int | None = None) -> None:
        if layer is not None:
            values = {SIGN: self._sign if sign is None else sign, OBJECT: self._number}
            if not set(values) <= set(layer.features.columns):
                self._restore_columns(layer)
            layer.feature_defaults = values

    def _restore_columns(self, layer: Points) -> None:
        """Put back columns that somebody took out of the features table."""
        table, count = layer.features.copy(), len(layer.data)
        table[SIGN] = column(table.get(SIGN), count, 1)
        table[OBJECT] = column(table.get(OBJECT), count, self._number)
        layer.features = table

    def _connect(self, layer: Points) -> None:
        layer.events.data.connect(self._looked_at)
        layer.events.features.connect(self._looked_at)
        layer.mouse_drag_callbacks.append(self._pressed)
        for key, call in self._keys().items():
            layer.bind_key(key, call, overwrite=True)

    def _disconnect(self, layer: Points) -> None:
        layer.events.data.disconnect(self._looked_at)
        layer.events.features.disconnect(self._looked_at)
        if self._pressed in layer.mouse_drag_callbacks:
            layer.mouse_drag_callbacks.remove(self._pressed)
        for key in self._keys():
            layer.bind_key(key, None)

    def _keys(self) -> dict[str, Callable[[Any], None]]:
        return {
            "Enter": lambda _: self.commit_asked.emit(),
            "Control-Z": lambda _: self.undo_asked.emit(),
            "Escape": lambda _: self.clear_asked.emit(),
            "T": lambda _: self._flip(),
            "]": lambda _: self.tolerance_asked.emit(1),
            "[": lambda _: self.tolerance_asked.emit(-1),
        }

    def _flip(self) -> None:
        self.sign = -self._sign

    def _looked_at(self, event: Any) -> None:
        if getattr(event, "action", None) in ("adding", "changing", "removing"):
            return
        layer = self.layer
        if layer is None:
            return
        self._set_defaults(layer)  # a modifier counts for one click
        if event.type == "features":  # edited in napari's table
            layer.refresh_colors()
        self.changed.emit()

    def _pressed(self, layer: Points, event: Any) -> Iterator[None]:
        """Give the coming point its sign; napari adds it when the button is let go."""
        held = {str(getattr(key, "name", key)) for key in event.modifiers}
        negative = self._sign < 0 or bool(held & set(NEGATIVE))
        self._set_defaults(layer, -1 if negative else 1)
        yield


def _over(source: Image, plane: Plane) -> dict[str, Any]:
    """Place clicks in the source's own full-size pixels."""
    ndim = source.ndim
    return placement(source, np.ones(ndim), np.zeros(ndim), plane.first)
