"""Frames around the windows of a large plane that were colored, as a layer.

Lines of a Vectors layer: it has no tools, and nothing of it is under a pointer. They
lie where their image does; only their thickness is the screen's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.gui.layers.camera import camera_of
from napari_gen2seg.gui.layers.hidden import bring_back, put_aside, slice_if_hidden
from napari_gen2seg.gui.layers.layer_order import insert_above, lift_above
from napari_gen2seg.gui.layers.marks import (
    COLORING,
    MARK,
    WINDOWS,
    find_layer,
    layer_name,
    mark,
    place,
    rename,
    role_of,
    source_of,
)
from napari_gen2seg.gui.layers.removal import remove_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Vectors

    from napari_gen2seg.gui.layers.view import Box, View

EARLIER, IN_USE = (0.35, 0.55, 1.0, 0.75), (0.3, 1.0, 0.35, 1.0)
THICKNESS = 2.0  # pixels of the screen
_COLORED = "colored"  # in our mark: keys of the windows that were colored


class WindowFrames:
    """Knows which windows were colored since their image was opened; frames them.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._drawn: tuple[Any, ...] = ()
        # A dock that is opened again takes over what an earlier one left.
        left = [layer for layer in viewer.layers if role_of(layer) == WINDOWS]
        self.layer_id = str(left[-1].unique_id) if left else None
        self._colored: list[tuple[Any, ...]] = (
            list(left[-1].metadata[MARK].get(_COLORED, ())) if left else []
        )

    @property
    def layer(self) -> Vectors | None:
        """The layer of the frames, if it is there."""
        return find_layer(self._viewer, self.layer_id)

    def note(self, view: View) -> None:
        """Remember that a window was colored; of a whole plane there is nothing to."""
        if view.window is None:
            return
        if view.key not in self._colored:
            self._colored.append(view.key)
        if self.layer is None:  # somebody deleted it; now there is more to frame
            self.layer_id = None

    def forget(self, layer_id: str) -> None:
        """Take no window of an image to be colored: it is gone, or has other pixels."""
        self._colored = [key for key in self._colored if key[0] != layer_id]

    def of(self, view: View) -> list[Box]:
        """Return the windows of a plane that were colored, in that order."""
        plane = view.through(None).key
        return [key[-1] for key in self._colored if key[:-1] == plane]

    def at(self, view: View, position: tuple[float, ...]) -> list[Box]:
        """Return the windows of a plane that were colored, around a world position."""
        place = view.through(None).to_plane(position)
        if place is None:
            return []
        row, col = place
        return [
            box
            for box in self.of(view)
            if box[0] <= row + 0.5 < box[2] and box[1] <= col + 0.5 < box[3]
        ]

    def show(self, view: View | None, in_use: bool = False) -> None:
        """Frame the colored windows of a plane; hide the frames where there are none.

        Parameters
        ----------
        view
            The one in view; None where there is none.
        in_use
            Whether it is a window whose map is shown: its frame has another color.
        """
        layer = self.layer
        if layer is not None and find_layer(self._viewer, source_of(layer)) is None:
            self._remove(layer)
            layer = None
        boxes = [] if view is None or view.window is None else self.of(view)
        if view is None or not boxes:
            if layer is not None:
                put_aside(layer)
            return
        now = view.window if in_use else None
        boxes.sort(key=lambda box: box == now)  # its frame over the others
        if layer is not None and layer.ndim != view.ndim:
            self._remove(layer)
            layer = None
        where = view.through(None).placement(view.plane_shape)
        colors = np.repeat([IN_USE if box == now else EARLIER for box in boxes], 4, 0)
        if layer is None:
            if self.layer_id is not None:
                return  # deleted by somebody
            layer = self._made(view, _lines(view, boxes), colors, where)
        else:
            bring_back(layer)
            if self._drawn != (view.ndim, view.own_axes, boxes, now):
                layer.data = _lines(view, boxes)
                slice_if_hidden(layer)  # or napari would color lines that are gone
                layer.edge_color = colors
            rename(self._viewer, layer, view.layer_id, WINDOWS)
            place(layer, where)
            lift_above(self._viewer, layer, view.layer_id, self._coloring_id)
        self._drawn = view.ndim, view.own_axes, boxes, now
        facts = mark(WINDOWS, view.layer_id, **{_COLORED: tuple(self._colored)})
        layer.metadata.update(facts)
        if layer.editable:  # drawn by us alone
            layer.editable = False
        self.fit(view)

    def fit(self, view: View) -> None:
        """Make the lines as thick as they are to be on the screen at this zoom."""
        layer = self.layer
        if layer is None or not layer.visible:
            return
        axes = list(view.axes)
        spans = np.linalg.norm(view.transform.matrix[:, axes], axis=0)
        pixel = float(np.sqrt(np.prod(spans * view.factors[axes])))  # in the world
        width = THICKNESS / (float(camera_of(self._viewer).zoom) * pixel)
        if not np.isclose(width, layer.edge_width, rtol=0.05):
            layer.edge_width = width

    def _remove(self, layer: Vectors) -> None:
        remove_layers(self._viewer, [layer])
        self.layer_id = None

    @property
    def _coloring_id(self) -> str | None:
        found = (one for one in self._viewer.layers if role_of(one) == COLORING)
        return next((str(one.unique_id) for one in found), None)

    def _made(
        self,
        view: View,
        lines: npt.NDArray[np.float64],
        colors: npt.NDArray[np.float64],
        where: dict[str, Any],
    ) -> Vectors:
        from napari.layers import Vectors

        layer = Vectors(
            lines,
            edge_color=colors,
            vector_style="line",
            opacity=1.0,
            name=layer_name(self._viewer, view.layer_id, WINDOWS),
            metadata=mark(WINDOWS, view.layer_id),
            **where,
        )
        layer.editable = False
        below = view.layer_id, self._coloring_id
        self.layer_id = insert_above(self._viewer, layer, *below)
        return layer


def _lines(view: View, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    """Return the outlines of boxes as napari has vectors: (4 n, 2, ndim), start, way.

    In pixels of the plane, whose outer edges are half a pixel beyond their middles.
    """
    rows, cols = view.own_axes
    lines = np.zeros((len(boxes), 4, 2, view.ndim))
    for lines_of_box, box in zip(lines, boxes, strict=True):
        row0, col0, row1, col1 = np.asarray(box, np.float64) - 0.5
        starts = (row0, col0), (row0, col1), (row1, col1), (row1, col0)
        for at, start in enumerate(starts):
            end = starts[(at + 1) % 4]
            lines_of_box[at, 0, [rows, cols]] = start
            lines_of_box[at, 1, [rows, cols]] = end[0] - start[0], end[1] - start[1]
    return lines.reshape(-1, 2, view.ndim)
