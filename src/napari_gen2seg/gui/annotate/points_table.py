"""Features table of the Points layer: positions, signs, object numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_gen2seg.gui.layers.hidden import slice_if_hidden
from napari_gen2seg.session.prompts import (
    DONE,
    INSIST,
    Prompts,
    column,
    read_prompts,
)

if TYPE_CHECKING:
    from napari.layers import Points

    from napari_gen2seg.gui.layers.view import View

SIGN, OBJECT = "sign", "object"
LIMITS = 9, 15  # smallest and largest a click is drawn, in pixels of the screen
KEEP, LEAVE_OUT = (0.15, 0.91, 0.20, 1.0), (1.0, 0.16, 0.33, 1.0)
RIM = (1.0, 1.0, 1.0, 1.0)
OVER = (0.6, 0.6, 0.6, 1.0)  # of clicks that something made by hand holds already


@dataclass(frozen=True)
class ClickTable:
    """One look at the whole layer; never kept, because the layer is the truth.

    Parameters
    ----------
    points
        (n, ndim) in pixels of the plane's level, from the first that is looked at.
    signs, objects
        (n,) the two columns of the features table.
    view
        The view looked at.
    """

    points: npt.NDArray[np.float64]
    signs: npt.NDArray[np.int64]
    objects: npt.NDArray[np.int64]
    view: View

    def prompts(self, number: int) -> Prompts:
        """Return the clicks of an object on the plane."""
        view, rows = self.view, self.rows(number)
        return read_prompts(
            self.points[rows],
            self.signs[rows],
            self.objects[rows],
            view.own_axes,
            view.own_index,
            number,
        )

    def rows(self, number: int) -> npt.NDArray[np.intp]:
        """Return which rows those clicks are, oldest first."""
        counts = self._on_plane(number) & self._inside() & (self.signs != DONE)
        return np.flatnonzero(counts)

    def newest_outside(self, number: int) -> npt.NDArray[np.intp]:
        """Return the newest row if it lies beside the image; else none.

        Older ones wait: the picture may have been larger, and may be so again.
        """
        rows = np.flatnonzero(self._on_plane(number) & ~self._inside())
        return rows[rows == len(self.points) - 1]

    def _on_plane(self, number: int) -> npt.NDArray[np.bool_]:
        chosen = self.objects == number
        for axis, at in enumerate(self.view.own_index):
            if axis not in self.view.own_axes:
                chosen &= np.rint(self.points[:, axis]) == at
        return chosen

    def _inside(self) -> npt.NDArray[np.bool_]:
        at = self.points[:, self.view.own_axes]
        inside = (at >= -0.5) & (at < np.asarray(self.view.shape) - 0.5)
        return np.asarray(inside.all(axis=1))


def objects_of(layer: Points, default: int) -> npt.NDArray[np.int64]:
    """Return the object of every point."""
    return column(layer.features.get(OBJECT), len(layer.data), default)


def signs_of(layer: Points) -> npt.NDArray[np.int64]:
    """Return the sign of every point."""
    return column(layer.features.get(SIGN), len(layer.data), 1)


def look_at(layer: Points, view: View, default: int) -> ClickTable:
    """Read a prompt layer whole.

    Parameters
    ----------
    layer
        The prompt layer, in full-size pixels of the source.
    view
        Whose clicks.
    default
        Object of points whose number somebody took out of the table.
    """
    data = np.asarray(layer.data, np.float64).reshape(-1, view.ndim)
    points = (data + 0.5) / view.own_factors - 0.5
    points[:, view.own_axes] -= view.corner
    return ClickTable(points, signs_of(layer), objects_of(layer, default), view)


def position(view: View, at: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return where a click at (row, column) of a plane lies in the layer's data."""
    where = np.array(view.own_index, np.float64)
    where[list(view.own_axes)] = np.add(at, view.corner)
    return (where + 0.5) * view.own_factors - 0.5


def set_defaults(layer: Points, sign: int, number: int) -> None:
    """Say what the next click will be, and put back columns that are missing."""
    values = {SIGN: sign, OBJECT: number}
    if not set(values) <= set(layer.features.columns):
        table, count = layer.features.copy(), len(layer.data)
        table[SIGN] = column(table.get(SIGN), count, 1)
        table[OBJECT] = column(table.get(OBJECT), count, number)
        layer.features = table
    now = layer.feature_defaults  # setting it takes napari milliseconds
    if any(now[name].tolist() != [value] for name, value in values.items()):
        layer.feature_defaults = values


def renumber(layer: Points, old: int, new: int) -> None:
    """Give an object's clicks, on all planes, to another."""
    objects = objects_of(layer, old)
    if (objects == old).any():
        table = layer.features.copy()
        table[OBJECT] = np.where(objects == old, new, objects)
        layer.features = table


def settle(layer: Points, rows: npt.NDArray[np.intp]) -> None:
    """Let clicks count no more: what was made by hand holds what they gave."""
    _sign(layer, rows, DONE)


def insist(layer: Points, row: int) -> None:
    """Let the mask grow by a click as it likes."""
    _sign(layer, np.array([row]), INSIST)


def _sign(layer: Points, rows: npt.NDArray[np.intp], sign: int) -> None:
    signs = signs_of(layer)
    signs[rows] = sign
    table = layer.features.copy()
    table[SIGN] = signs
    layer.features = table


def select_none(layer: Points) -> None:
    """Select no point, if any is."""
    if len(layer.selected_data):
        layer.selected_data = set()


def color_of(sign: int) -> tuple[float, float, float, float]:
    """Return the color of a click."""
    return KEEP if sign > 0 else LEAVE_OUT


def fit_limits(layer: Points, point: tuple[float, ...], shown: Sequence[int]) -> None:
    """Let napari draw nothing where no click of a layer is in view.

    For none, napari (0.9) draws one white point of size 0 in the corner, which the
    least size of a click would make visible.

    Parameters
    ----------
    layer
        The clicks.
    point, shown
        Where the viewer stands in the world, and which of its axes are on screen.
    """
    first = len(point) - layer.ndim
    hidden = [n for n in range(layer.ndim) if n + first not in shown]
    at = np.asarray(layer.world_to_data(point[first:]))
    seen = layer.shown & (np.rint(layer.data) == np.rint(at))[:, hidden].all(axis=1)
    limits = LIMITS if len(shown) != 2 or not hidden or seen.any() else (0, LIMITS[1])
    if tuple(layer.canvas_size_limits) != limits:
        layer.canvas_size_limits = limits


def show_only(layer: Points, number: int) -> None:
    """Color an object's clicks by sign, and hide those of others."""
    mine = objects_of(layer, number) == number
    slice_if_hidden(layer)  # or napari would color clicks that are gone
    # napari 0.9 draws points that are not shown where a layer has two axes.
    signs = signs_of(layer)[:, None]
    face = np.where(signs > 0, KEEP, np.where(signs == DONE, OVER, LEAVE_OUT))
    border = np.tile(RIM, (len(mine), 1))
    face[~mine, 3] = border[~mine, 3] = 0
    with ExitStack() as quiet:
        # Each colour is told of twice, and each time all points are drawn anew.
        for name in ("face_color", "border_color"):
            quiet.enter_context(getattr(layer.events, name).blocker())
        if not np.array_equal(mine, layer.shown):
            select_none(layer)
            with layer.events.set_data.blocker():
                layer.shown = mine
        if not np.allclose(layer.face_color, face):
            layer.face_color = face
        if not np.allclose(layer.border_color, border):
            layer.border_color = border
