"""Resolution at which the model sees the image, as a person asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.panels.object_size import resolution_by_object, stepped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_gen2seg.gui.annotate.bridge import Bridge


class ResolutionChoice:
    """Chooses the resolution for the image in view; another image starts anew.

    Parameters
    ----------
    bridge
        To the picture and its map.
    choose
        Takes a size in pixels, or None for automatic.
    """

    def __init__(self, bridge: Bridge, choose: Callable[[int | None], None]) -> None:
        self._bridge = bridge
        self._choose = choose

    def by_object(self) -> int:
        """Choose the size at which a typical object is as large as the model likes.

        Raises
        ------
        Gen2SegError
            See `resolution_by_object`.
        """
        view, kept = self._bridge.source.view, self._bridge.controller.objects.layer
        name = self._bridge.session.model.choice.model
        size = resolution_by_object(self._bridge.viewer, view, kept, name)
        self._choose(size)
        return size

    def again(self, factor: float) -> None:
        """Color again at a size so many times that of the map in view.

        Raises
        ------
        Gen2SegError
            If there is no map yet.
        """
        view = self._bridge.source.view
        coloring = None if view is None else self._bridge.session.coloring(view)
        self._choose(stepped(coloring, factor))
        self._bridge.color()

    def forget(self) -> None:
        """Go back to automatic: a size in pixels fits one image."""
        if self._bridge.session.model.choice.resolution is not None:
            self._choose(None)
