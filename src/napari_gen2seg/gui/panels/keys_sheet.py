"""All keys in one sheet over the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QMainWindow

from napari_gen2seg.gui.annotate.tool_keys import HELP_KEY, PROMPTS, TOOLS

if TYPE_CHECKING:
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QWidget

SHEET: dict[str, tuple[tuple[str, str], ...]] = {
    "Proposals": (
        ("Enter", "keep the one under the pointer"),
        ("D", "drop it"),
        ("Ctrl-drag", "keep all it touches; with Shift, drop"),
        ("Shift+Enter", "keep all"),
        ("N, Shift+N", "next one, most doubtful one"),
    ),
    "Clicks": (
        ("click", "this belongs to the object"),
        ("Shift-click", "this does not"),
        *((tool.shown_key, tool.brief) for tool in PROMPTS),
        ("Enter", "keep the object"),
        ("T", "change what a click means"),
        ("[ and ]", "tolerance"),
        ("I", "insist: all that the last click asked for"),
        ("Esc", "remove the clicks; end a tool"),
        ("Ctrl+Z, Ctrl+Shift+Z", "take back, do again"),
    ),
    "Kept objects": (
        ("Ctrl-click", "correct: go back to it and its clicks"),
        *((tool.shown_key, tool.brief) for tool in TOOLS),
        ("Ctrl+1 to Ctrl+9", "give it a class; Ctrl+0: none"),
        (". and ,", "carry it to the planes after, before"),
        (HELP_KEY, "these keys"),
    ),
}


class KeysSheet(QLabel):
    """Lies over the canvas until its key is pressed again, or it is clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText(_as_html())
        self.setToolTip("Click to hide the keys.")
        self.setStyleSheet(
            "background: rgba(20, 24, 30, 225); color: #f0f0f0; padding: 10px;"
            "border-radius: 6px;"
        )
        self.hide()

    def toggle(self) -> None:
        """Show the sheet over the canvas, or hide it."""
        if self.isVisible():
            self.hide()
            return
        self.adjustSize()
        window = self.parentWidget()
        center = window.centralWidget() if isinstance(window, QMainWindow) else None
        if center is not None:
            low = center.y() + center.height() - self.height() - 8
            self.move(center.x() + 8, max(low, center.y()))
        self.show()
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go away when clicked."""
        self.hide()
        event.accept()


def _as_html() -> str:
    rows = []
    for title, keys in SHEET.items():
        rows.append(f"<tr><td colspan=2><b>{title}</b></td></tr>")
        rows += [
            f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>"
            for key, what in keys
        ]
    return f"<table cellspacing=2>{''.join(rows)}</table>"
