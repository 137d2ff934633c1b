"""The Points layer that holds the prompts: made, read, written, listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_gen2seg.gui.annotate.click_keys import ClickKeys
from napari_gen2seg.gui.annotate.pointer import NEGATIVE
from napari_gen2seg.gui.annotate.points_table import (
    LIMITS,
    OBJECT,
    SIGN,
    ClickTable,
    color_of,
    fit_limits,
    insist,
    look_at,
    objects_of,
    position,
    renumber,
    select_none,
    set_defaults,
    settle,
    show_only,
    signs_of,
)
from napari_gen2seg.gui.annotate.redo import Rows
from napari_gen2seg.gui.layers.layer_order import keep_selection
from napari_gen2seg.gui.layers.overlays import (
    PROMPTS,
    find_layer,
    layer_name,
    mark,
    place,
    role_of,
    source_of,
)
from napari_gen2seg.session.prompts import Prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Layer, Points

    from napari_gen2seg.gui.layers.view import View

Point = tuple[float, float]


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
    clicked = Signal()  # a click more, before `changed`
    sign_changed = Signal(int)

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.keys = ClickKeys()
        self.keys.flip_requested.connect(self._flip)
        self._id: str | None = None
        self._sign = 1
        self._number = 1
        self._drawn: list[npt.NDArray[np.float64]] = []  # clicks that are one step
        self._putting = False  # clicks that are no new ones
        # When clicks were made, and when objects were gone back to with theirs.
        self._made: dict[tuple[str, ...], int] = {}
        self._taken_up: dict[int, int] = {}

    # ---- the layer

    @property
    def layer(self) -> Points | None:
        """The prompt layer, if it is there."""
        return find_layer(self._viewer, self._id)

    @property
    def layer_id(self) -> str | None:
        """``unique_id`` of the prompt layer."""
        return self._id

    def ensure(self, view: View) -> Points:
        """Return the prompt layer of a view; find it, or make it."""
        layer = self.layer
        if layer is not None and fits(layer, view):
            return layer
        self.release()
        layer = next((one for one in self._viewer.layers if fits(one, view)), None)
        if layer is None:
            name = layer_name(self._viewer, view.layer_id, "clicks")
            layer = new_clicks(view, name)
            with keep_selection(self._viewer):
                self._viewer.add_layer(layer)
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

    def follow(self, view: View) -> None:
        """Move the layer after the source was moved, scaled or rotated."""
        layer = self.layer
        if layer is not None and fits(layer, view):
            place(layer, view.full_size_placement())

    # ---- reading

    def read(self, view: View) -> Prompts:
        """Return the clicks of the current object on a plane."""
        table = self._look(view)
        return Prompts() if table is None else table.prompts(self._number)

    def newest(self, view: View) -> int:
        """Return the number of the act that the last click of the object is.

        0 where it was made before this dock was opened, and where there is none.
        """
        layer, table = self.layer, self._look(view)
        if layer is None or table is None:
            return 0
        rows = table.rows(self._number)
        if not len(rows):
            return 0
        made = self._made.get(_name(layer, int(rows[-1])), 0)
        return max(made, self._taken_up.get(self._number, 0))

    def highest(self) -> int:
        """Return the highest object number that has clicks; 0 without any."""
        layer = self.layer
        if layer is None or not len(layer.data):
            return 0
        return int(objects_of(layer, self._number).max())

    def _look(self, view: View) -> ClickTable | None:
        layer = self.layer
        if layer is None or not fits(layer, view):
            return None
        return look_at(layer, view, self._number)

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
        """The object that new clicks belong to."""
        return self._number

    @number.setter
    def number(self, number: int) -> None:
        self._number = number
        self._set_defaults(self.layer)
        self.show_current()

    def note(self, act: int) -> None:
        """Remember the number of the act that the newest click is."""
        layer = self.layer
        if layer is not None and len(layer.data):
            self._made[_name(layer, -1)] = act

    def note_taken_up(self, act: int) -> None:
        """Remember when the object was gone back to, its clicks along with it."""
        self._taken_up[self._number] = act

    def renumber(self, number: int) -> None:
        """Give the current object another number; its clicks go along."""
        if self.layer is not None:
            renumber(self.layer, self._number, number)
        self.number = number

    def show_current(self) -> None:
        """Show the current object's clicks; those of others stay, out of sight."""
        layer = self.layer
        if layer is None or not len(layer.data):
            return
        show_only(layer, self._number)
        self._fit_limits()

    def add(self, view: View, point: tuple[float, float], sign: int = 1) -> None:
        """Add a click of the current object at (row, column) of a plane."""
        layer = self.ensure(view)
        self._await(layer, sign)
        layer.add(position(view, point))

    def add_many(
        self,
        view: View,
        points: npt.NDArray[np.float64],
        signs: npt.NDArray[np.int64],
    ) -> None:
        """Add clicks of the current object that are one step.

        Parameters
        ----------
        view
            The plane.
        points
            (n, 2), (row, column).
        signs
            (n,), as the layer's features have them.
        """
        layer = self.ensure(view)
        data = np.array([position(view, (row, col)) for row, col in points.tolist()])
        objects = np.full(len(data), self._number, np.int64)
        self._drawn.append(data)
        self.put_back(Rows(str(layer.unique_id), data, signs, objects))

    def take_last(self, view: View) -> Rows | None:
        """Remove the current object's last click on a plane, or what was drawn last.

        Returns
        -------
        Rows or None
            What went.
        """
        layer, table = self.layer, self._look(view)
        if layer is None or table is None:
            return None
        rows = table.rows(self._number)
        for drawn in reversed(self._drawn):
            last = rows[-len(drawn) :]
            if np.array_equal(np.asarray(layer.data)[last], drawn):
                return self._remove(last)
        return self._remove(rows[-1:])

    def clear(self, view: View) -> Rows | None:
        """Remove the current object's clicks on a plane; return what went."""
        table = self._look(view)
        return None if table is None else self._remove(table.rows(self._number))

    def take_object(self, number: int) -> Rows | None:
        """Remove the clicks of an object on all planes; return what went."""
        layer = self.layer
        if layer is None or not len(layer.data):
            return None
        rows = np.flatnonzero(objects_of(layer, self._number) == number)
        return self._remove(rows)

    def take_objects(self, view: View, numbers: Iterable[int]) -> Rows | None:
        """Remove the clicks of objects on a plane; return what went."""
        table = self._look(view)
        if table is None:
            return None
        rows = [table.rows(number) for number in numbers]
        return self._remove(np.concatenate(rows)) if rows else None

    def take_again(self, rows: Rows) -> None:
        """Remove clicks once more that were put back."""
        layer = self.layer
        if layer is None or not len(layer.data):
            return
        of = objects_of(layer, self._number)
        same = (np.asarray(layer.data)[:, None] == rows.data).all(axis=-1)
        same &= of[:, None] == rows.objects
        self._remove(np.flatnonzero(same.any(axis=1)))

    def put_back(self, rows: Rows) -> bool:
        """Add clicks that were removed; say if their layer is still there."""
        layer = self.layer
        if layer is None or str(layer.unique_id) != rows.layer_id:
            return False
        before, count = layer.features.copy(), len(layer.data)
        table = {
            SIGN: np.concatenate([signs_of(layer), rows.signs]),
            OBJECT: np.concatenate([objects_of(layer, self._number), rows.objects]),
        }
        self._putting = True  # napari tells of them as of clicks in an empty layer
        try:
            layer.data = np.concatenate([np.asarray(layer.data), rows.data])
        finally:
            self._putting = False
        after = layer.features.copy()
        for name in before.columns:
            after.loc[: count - 1, name] = before[name].to_numpy()
        for name, values in table.items():
            after[name] = values
        layer.features = after
        select_none(layer)
        return True

    def insist(self, view: View) -> bool:
        """Let the last click have all it asked for; say if it is one that keeps."""
        layer, table = self.layer, self._look(view)
        if layer is None or table is None:
            return False
        last = table.rows(self._number)[-1:]
        if not last.size or table.signs[last[0]] != 1:
            return False
        insist(layer, int(last[0]))
        return True

    def settle(self, view: View, number: int, count: int) -> None:
        """Let an object's first clicks on a plane count no more: it holds them."""
        layer, table = self.layer, self._look(view)
        if layer is not None and table is not None:
            settle(layer, table.rows(number)[:count])

    def drop_outside(self, view: View) -> tuple[Point, int] | None:
        """Remove the newest click if it is outside of what is looked at.

        Returns
        -------
        tuple or None
            Its (row, column) and its sign; None where it is inside.
        """
        table = self._look(view)
        if table is None:
            return None
        rows = table.newest_outside(self._number)
        if self._remove(rows) is None:
            return None
        row, col = table.points[rows[0], list(view.own_axes)].tolist()
        return (row, col), int(table.signs[rows[0]])

    def _remove(self, rows: npt.NDArray[np.intp]) -> Rows | None:
        layer = self.layer
        if layer is None or not rows.size:
            return None
        gone = Rows(
            str(layer.unique_id),
            np.array(layer.data, np.float64)[rows],
            signs_of(layer)[rows],
            objects_of(layer, self._number)[rows],
        )
        layer.selected_data = set(rows.tolist())
        layer.remove_selected()
        select_none(layer)
        return gone

    # ---- listening

    def _set_defaults(self, layer: Points | None, sign: int | None = None) -> None:
        if layer is not None:
            set_defaults(layer, self._sign if sign is None else sign, self._number)

    def _await(self, layer: Points, sign: int) -> None:
        """Make the layer ready for one click of a sign."""
        select_none(layer)  # or napari would give them the new colour
        self._set_defaults(layer, sign)
        layer.current_face_color = color_of(sign)

    def _connect(self, layer: Points) -> None:
        layer.events.data.connect(self._looked_at)
        layer.events.features.connect(self._looked_at)
        layer.events.set_data.connect(self._fit_limits)  # another plane, too
        layer.mouse_drag_callbacks.append(self._pressed)
        self.keys.bind(layer)

    def _fit_limits(self, _event: Any = None) -> None:
        layer, dims = self.layer, self._viewer.dims
        if layer is not None:
            fit_limits(layer, tuple(dims.point), tuple(dims.displayed))

    def _disconnect(self, layer: Points) -> None:
        layer.events.data.disconnect(self._looked_at)
        layer.events.features.disconnect(self._looked_at)
        layer.events.set_data.disconnect(self._fit_limits)
        if self._pressed in layer.mouse_drag_callbacks:
            layer.mouse_drag_callbacks.remove(self._pressed)
        self.keys.release(layer)

    def _flip(self) -> None:
        self.sign = -self._sign

    def _looked_at(self, event: Any) -> None:
        if getattr(event, "action", None) in ("adding", "changing", "removing"):
            return
        layer = self.layer
        if layer is None:
            return
        if getattr(event, "action", None) == "added":
            select_none(layer)  # no ring around what was just clicked
            if not self._putting:
                self.clicked.emit()
        self._set_defaults(layer)  # a modifier counts for one click
        self.changed.emit()

    def _pressed(self, layer: Points, event: Any) -> Iterator[None]:
        """Give the coming point its sign; napari adds it when the button is let go."""
        held = {str(getattr(key, "name", key)) for key in event.modifiers}
        negative = self._sign < 0 or bool(held & set(NEGATIVE))
        if layer.mode == "add":
            self._await(layer, -1 if negative else 1)
        yield


def _name(layer: Points, row: int) -> tuple[str, ...]:
    """Return what a click is known by, whichever row it is in."""
    place = np.asarray(layer.data[row], np.float64)
    return str(layer.unique_id), *(f"{at:.3f}" for at in place)


def fits(layer: Layer, view: View) -> bool:
    """Whether a layer is the one for clicks on a plane's image."""
    return (
        role_of(layer) == PROMPTS
        and source_of(layer) == view.layer_id
        and layer.ndim == view.ndim
    )


def new_clicks(view: View, name: str = "clicks") -> Points:
    """Return an empty layer for clicks on an image."""
    from napari.layers import Points

    return Points(
        np.empty((0, view.ndim)),
        ndim=view.ndim,
        name=name,
        features={SIGN: np.empty(0, int), OBJECT: np.empty(0, int)},
        size=10,
        border_color="white",
        border_width=0.12,
        canvas_size_limits=LIMITS,
        metadata=mark(PROMPTS, view.layer_id),
        **view.full_size_placement(),
    )
