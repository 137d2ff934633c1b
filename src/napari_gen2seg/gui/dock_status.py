"""What the status line of the dock says, and when that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.gui.panels.status_line import StatusLine


class DockStatus(QObject):
    """Lets the status line tell of the last act, on the view in sight.

    Parameters
    ----------
    line
        Where it is said.
    bridge
        Who acts.
    acts
        Signals of what a person asks for, which ends what was said before; those who do
        it are connected later.
    parent
        Deleted with it.
    """

    def __init__(
        self,
        line: StatusLine,
        bridge: Bridge,
        acts: Iterable[Any],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._line, self._bridge = line, bridge
        self._session = bridge.session
        self._told_of: View | None = None
        controller = bridge.controller
        for signal in acts:
            signal.connect(lambda *_: line.act())
        controller.status_changed.connect(line.say)
        controller.refused.connect(line.wait_for)
        controller.review.pointed.connect(line.point)
        controller.hover_preview.pointed.connect(line.point)
        controller.review.found.connect(line.come)
        self._session.coloring_changed.connect(self._colored)
        self._session.failed.connect(self._failed)
        bridge.warning.connect(self.warn)
        bridge.view_changed.connect(self._view_changed)

    def warn(self, text: str) -> None:
        """Say what must not be missed."""
        from napari.utils.notifications import show_warning

        self._line.wait_for(text)
        show_warning(text)

    def _view_changed(self) -> None:
        """Take back what was said of another view."""
        view = self._bridge.source.view
        if view != self._told_of and self._told_of is not None:
            self._line.clear()
        self._told_of = view

    def _colored(self, view: View) -> None:
        """Take back what waited for the coloring of the view in sight."""
        if view == self._bridge.source.view:
            self._line.come()

    def _failed(self, text: str) -> None:
        self.warn(text)
        if self._session.job.view != self._bridge.source.view:
            self._line.clear()  # the notification is enough: it is of another view
