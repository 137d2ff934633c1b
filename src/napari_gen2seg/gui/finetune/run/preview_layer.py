"""The held-back image's coloring map while it trains: on the page, as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject

from napari_gen2seg.gui.layers.overlays import find_layer, insert_above, mark
from napari_gen2seg.gui.layers.removal import remove_layers

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
    from napari_gen2seg.gui.finetune.run.controller import TrainingController
    from napari_gen2seg.gui.finetune.run.page import TrainingPage
    from napari_gen2seg.gui.settings import Memory

ROLE = "training"


class MapLayers:
    """One layer for every held-back image that is open.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._ids: dict[str, str] = {}  # layer title -> unique_id

    def show(
        self, row: TrainingCandidate, title: str, rgb: npt.NDArray[np.uint8]
    ) -> bool:
        """Show a map over its image.

        A layer that a person deleted stays deleted. When the picture is gone, its
        map stays where it was.

        Parameters
        ----------
        row
            The picture.
        title
            Name of the layer.
        rgb
            uint8 (h, w, 3).

        Returns
        -------
        bool
            Whether there is a layer with it.
        """
        plane = row.plane
        if plane is None:
            return False
        if title in self._ids:
            layer = self._find(title)
            if layer is not None:
                rows, cols = (layer.data.shape[axis] for axis in plane.own_axes)
                layer.data = plane.spread(_as_large(rgb, (rows, cols)))
            return layer is not None
        source = find_layer(self._viewer, row.layer_id)
        if source is None:
            return False
        from napari.layers import Image

        layer = Image(
            plane.spread(rgb),
            rgb=True,
            name=title,
            opacity=0.6,
            metadata=mark(ROLE, plane.layer_id),
            **plane.moved_as(source).placement((rgb.shape[0], rgb.shape[1])),
        )
        self._ids[title] = insert_above(self._viewer, layer, row.layer_id)
        return True

    def remove(self) -> None:
        """Take the layers away."""
        found = [self._find(title) for title in self._ids]
        remove_layers(self._viewer, [layer for layer in found if layer is not None])
        self._ids.clear()

    def forget(self) -> None:
        """Leave the layers where they are, as a person's own."""
        self._ids.clear()

    @property
    def titles(self) -> list[str]:
        """Names of the layers that are there."""
        return [title for title in self._ids if self._find(title) is not None]

    def _find(self, title: str) -> Image | None:
        return find_layer(self._viewer, self._ids.get(title))


def _as_large(
    rgb: npt.NDArray[np.uint8], shape: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Return a map at the size of the first one, where the layer lies right.

    A model in training may look at the picture at another size than before.
    """
    if rgb.shape[:2] == shape:
        return rgb
    from skimage.transform import resize

    found = resize(rgb, shape, order=1, preserve_range=True)
    return np.asarray(np.rint(found), np.uint8)


class LiveMaps(QObject):
    """Shows the newest map wherever it is wanted.

    Parameters
    ----------
    viewer
        For the layers.
    work
        Whose maps.
    page
        Shows them too, and says whether layers are wanted.
    memory
        Where that is remembered.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        work: TrainingController,
        page: TrainingPage,
        memory: Memory,
    ) -> None:
        super().__init__(page)
        self.layers = MapLayers(viewer)
        self._work, self._page, self._memory = work, page, memory
        self._latest: dict[str, npt.NDArray[np.uint8]] = {}  # by picture
        self._folder: Path | None = None  # of the run they are from
        page.in_viewer.setChecked(memory.get("training_map"))
        page.in_viewer.toggled.connect(self._wanted)
        work.map_made.connect(self._made)

    def begin(self) -> None:
        """Get ready for a run; one that goes on keeps its maps."""
        run = self._work.run
        folder = None if run is None else run.folder
        if folder is None or folder != self._folder:
            self._latest.clear()
            self._page.clear_maps()
        self._folder = folder

    def end(self) -> None:
        """Take the layers away when training is over, unless they are to be kept."""
        if not self._page.keep_map.isChecked():
            self.layers.remove()

    def clear(self) -> None:
        """Forget a run; its layers go, or become a person's own."""
        self._latest.clear()
        if self._page.keep_map.isChecked():
            self.layers.forget()
        else:
            self.layers.remove()

    def _made(self, name: str, first: bool, rgb: Any) -> None:
        if self._work.run is not None:
            self._folder = self._work.run.folder
        self._page.show_map(self._work.title(name), first, rgb)
        self._latest[name] = rgb
        # The last map may be read when the run is over and its layer gone.
        if self._page.in_viewer.isChecked() and self._work.busy:
            self._draw(name)

    def _draw(self, name: str) -> None:
        row = self._work.row(name)
        if row is not None:
            self.layers.show(row, f"training: {row.name}", self._latest[name])

    def _wanted(self, on: bool) -> None:
        self._memory.set("training_map", on)
        if not on:
            self.layers.remove()
            return
        self.layers.forget()
        for name in self._latest:
            self._draw(name)
