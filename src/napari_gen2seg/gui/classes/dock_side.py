"""Classes in the dock: which are listed, which objects have them, in what colors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_gen2seg.gui.classes.book import ClassBook
from napari_gen2seg.gui.classes.colors import ClassColors
from napari_gen2seg.gui.classes.renaming import ClassRenamer

if TYPE_CHECKING:
    from pathlib import Path

    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.classes.panel import ClassesPanel
    from napari_gen2seg.gui.saving.keeper import Keeper
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.session import Runner


class DockClasses(QObject):
    """Keeps the panel of classes at what the image in view has.

    Parameters
    ----------
    bridge, keeper
        Which objects there are, and which classes they have.
    panel
        Where classes are listed.
    memory
        Where a person's own classes are remembered.
    runner
        Where the images of a project are gone through, to rename a class.
    parent
        Deleted with it.
    """

    def __init__(
        self,
        bridge: Bridge,
        keeper: Keeper,
        panel: ClassesPanel,
        memory: Memory,
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._keeper, self._panel = bridge, keeper, panel
        self._memory = memory
        self.book = ClassBook(memory, self)
        self.renamer = ClassRenamer(keeper, self.book, runner, self)
        self._colors = ClassColors(bridge.viewer)
        self._project: Path | None = None  # whose classes are listed
        self._shown: dict[int, str] = {}
        panel.add_requested.connect(self.book.add)
        panel.remove_requested.connect(self.book.remove)
        panel.color_requested.connect(self.book.recolor)
        panel.key_requested.connect(self.book.give_key)
        panel.rename_requested.connect(self.renamer.rename)
        panel.paint_requested.connect(self.set_colors)
        self.book.changed.connect(self.show)
        keeper.changed.connect(self.follow)
        bridge.view_changed.connect(self.follow)

    def set_colors(self, on: bool) -> None:
        """Show objects in the colors of their classes, or no longer."""
        self._colors.on = on
        self._memory.set("class_colors", on)
        self.show()

    def follow(self) -> None:
        """Take the classes of the project of the image in view, and show them."""
        project = self._keeper.project
        if project != self._project:
            self._project = project
            self.book.follow(project)
        if dict(self._keeper.objects.classes) != self._shown:
            self.show()
        else:
            self._paint()

    def show(self) -> None:
        """Show which classes there are, and which objects have them."""
        self._shown = dict(self._keeper.objects.classes)
        self._bridge.controller.classes.classes = self.book.classes
        self._panel.show_classes(self.book, self._shown)
        self._paint()

    def release(self) -> None:
        """Leave the colors of the objects as they were."""
        self._colors.release()

    def _paint(self) -> None:
        layer = self._bridge.controller.objects.layer
        self._colors.show(layer, self._shown, self.book.colors)
