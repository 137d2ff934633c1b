"""Objects in the colors of their classes; the classes as features of the layer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari_gen2seg.gui.layers.looks import looks_only
from napari_gen2seg.gui.layers.overlays import find_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

GREY = "#9aa0a6"
"""Of objects without a class."""
CLASS = "class"
"""Name of the feature."""


class ClassColors:
    """Colors the Labels layer that takes the objects, and gives its own colors back.

    Parameters
    ----------
    viewer
        Where the layer is.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._id: str | None = None
        self._own: Any = None  # colormap of the layer
        self._drawn: tuple[dict[int, str], dict[str, str]] | None = None
        self._told: dict[int, str] = {}
        self.on = True

    def show(
        self,
        layer: Labels | None,
        classes: Mapping[int, str],
        colors: Mapping[str, str],
    ) -> None:
        """Show classes on a layer; its own colors where no object has any.

        Parameters
        ----------
        layer
            That takes the objects.
        classes
            Object -> name of its class.
        colors
            Name of a class -> ``#rrggbb``.
        """
        name = None if layer is None else str(layer.unique_id)
        if name != self._id:
            self.release()
            self._id, self._told = name, {}
        if layer is None:
            return
        if dict(classes) != self._told:
            self._told = dict(classes)
            with suppress(ValueError):
                layer.features = with_classes(layer.features, self._told)
        if not self.on or not classes:
            self.release()
            self._id = name
            return
        wanted = dict(classes), dict(colors)
        if wanted == self._drawn:
            return
        from napari.utils.colormaps import DirectLabelColormap

        if self._drawn is None:
            self._own = layer.colormap
        self._drawn = wanted  # before: the layer tells of a change at once
        colored: dict[int | None, Any] = {None: GREY, 0: "transparent"}
        colored.update({n: colors.get(one, GREY) for n, one in classes.items()})
        with looks_only(layer):
            layer.colormap = DirectLabelColormap(color_dict=colored)

    def release(self) -> None:
        """Give the layer its own colors again."""
        layer, own = find_layer(self._viewer, self._id), self._own
        drawn, self._drawn = self._drawn, None
        self._id = self._own = None
        if layer is not None and drawn is not None and own is not None:
            with looks_only(layer):
                layer.colormap = own


def with_classes(there: Any, classes: Mapping[int, str]) -> Any:
    """Return features of a Labels layer with the classes in a column.

    Parameters
    ----------
    there
        The features so far, a data frame; columns of others stay.
    classes
        Object -> name of its class.
    """
    import pandas as pd

    if "index" not in there.columns:
        if len(there.columns):
            return there  # rows of somebody who counts otherwise
        numbers = sorted(classes)
        there = pd.DataFrame({"index": pd.Series(numbers, dtype="int64")})
    missing = sorted(set(classes) - set(there["index"].tolist()))
    table = pd.concat([there, pd.DataFrame({"index": missing})], ignore_index=True)
    table[CLASS] = [classes.get(int(number), "") for number in table["index"]]
    return table
