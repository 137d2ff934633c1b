"""A window with unsaved work asks before it closes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakMethod, ref

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_gen2seg.common.text import names_text
from napari_gen2seg.gui.panels.widgets import choose

if TYPE_CHECKING:
    from napari_gen2seg.gui.saving.keeper import Keeper


class CloseGuard(QObject):
    """Keeps the window of a dock open while there is unsaved work.

    Parameters
    ----------
    dock
        Our widget; its window is found when there is something to guard.
    keeper
        Knows what is not saved.
    save_as
        Asks for a file.
    """

    def __init__(
        self, dock: QWidget, keeper: Keeper, save_as: Callable[[], None]
    ) -> None:
        super().__init__(dock)
        # Weakly: a filter of the window would hold the dock that has left it, and the
        # dock a window that is closed.
        self._dock, self._keeper = ref(dock), ref(keeper)
        self._save_as = WeakMethod(save_as)
        self._guarded: ref[QMainWindow] | None = None
        self._anyway = False
        keeper.changed.connect(self._watch)

    def release(self) -> None:
        """Let the window close as it likes."""
        window, self._guarded = self._window, None
        self._anyway = True
        if window is not None:
            with suppress(RuntimeError):  # Qt may have deleted it by now
                window.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Refuse to close, and ask."""
        if event.type() != QEvent.Type.Close or watched is not self._window:
            return False
        dock, keeper = self._dock(), self._keeper()
        if self._anyway or dock is None or keeper is None:
            return False
        for kept in keeper.unsaved:
            kept.retry()
        unsaved = keeper.unsaved
        save_as = self._save_as()
        if not unsaved or save_as is None:
            return False
        event.ignore()
        names = names_text([repr(one.layer.name) for one in unsaved])
        choose(
            dock,
            "Work is not saved",
            f"Work in {names} is not saved. {unsaved[0].problem}",
            {"Save as ...": save_as, "Close without saving": self._close},
        )
        return True

    @property
    def _window(self) -> QMainWindow | None:
        return None if self._guarded is None else self._guarded()

    def _close(self) -> None:
        self._anyway = True
        window = self._window
        if window is not None:
            window.close()

    def _watch(self) -> None:
        if self._guarded is not None or self._anyway:
            return
        dock = self._dock()
        parent = None if dock is None else dock.parentWidget()
        while parent is not None and not isinstance(parent, QMainWindow):
            parent = parent.parentWidget()
        if parent is not None:
            self._guarded = ref(parent)
            parent.installEventFilter(self)
