"""The table of objects, a dock of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QItemSelectionModel, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import StorageError
from napari_gen2seg.gui.layers.camera import center_on
from napari_gen2seg.gui.layers.looks import looks_only
from napari_gen2seg.gui.layers.overlays import find_layer
from napari_gen2seg.gui.panels.docked import Docked, main_window
from napari_gen2seg.gui.panels.layer_combo import LayerCombo
from napari_gen2seg.gui.panels.objects_panel import is_target
from napari_gen2seg.gui.panels.widgets import quiet_label
from napari_gen2seg.gui.qt_threads import Mailbox, debounce, lane
from napari_gen2seg.gui.table.reader import FactsReader
from napari_gen2seg.gui.table.rows import FIRST, ObjectRows
from napari_gen2seg.gui.table.told import tell
from napari_gen2seg.io.object_csv import write_objects_csv

if TYPE_CHECKING:
    import napari
    from napari.layers import Labels
    from qtpy.QtGui import QShowEvent

    from napari_gen2seg.core.objects.table import ObjectTable
    from napari_gen2seg.gui.saving.keeper import Keeper
    from napari_gen2seg.session import Runner

_ROW = QAbstractItemView.SelectionBehavior.SelectRows

_MOMENT = 600  # milliseconds for which the object of a row is shown alone


class ObjectsTable(Docked):
    """One row an object of a Labels layer, as far as it is in view.

    Parameters
    ----------
    viewer
        napari gives it.
    runner
        Measures; a worker thread of its own by default.
    """

    def __init__(
        self, viewer: napari.viewer.Viewer, runner: Runner | None = None
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._mail = Mailbox(self)
        self._runner = runner or lane(self._mail, "gen2seg-facts")
        self._keeper: Keeper | None = None
        self._told_layer: str | None = None  # that takes the objects, as last heard
        self._marking = False  # the viewer's choice is shown, nobody chose a row
        self._closed = False
        self._alone: Labels | None = None  # of which one object is shown alone
        self._together = debounce(self, self._show_together, _MOMENT)
        self.facts: ObjectTable | None = None
        self._shared: ObjectTable | None = None  # as the layer's features have it
        self.target = LayerCombo(viewer, is_target)
        self.target.setToolTip("The Labels layer whose objects are listed.")
        self.rows = ObjectRows(self)
        self.table = QTableView()
        self.table.setModel(self.rows)
        self.table.setToolTip(
            "Choose a row to go there; click a column's name to sort by it."
        )
        self.table.setMinimumHeight(72)  # a small screen holds it below the canvas
        self.table.setSelectionBehavior(_ROW)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(22)
        for column in range(len(FIRST)):
            self.table.setColumnWidth(column, 76)
        self.counter = quiet_label("")
        self.copy = QPushButton("Copy")
        self.copy.setToolTip(
            "Copy all rows for a spreadsheet, or the chosen ones if several are "
            "(Ctrl+C in the table: the chosen one too)."
        )
        self.save = QPushButton("Save as CSV…")
        self.save.setToolTip("Write all rows into a file that any spreadsheet opens.")
        below = QHBoxLayout()
        below.addWidget(self.target, 1)
        below.addWidget(self.counter, 1)
        below.addWidget(self.copy)
        below.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 2, 4, 2)
        column.addWidget(self.table, 1)
        column.addLayout(below)
        self.reader = FactsReader(viewer, self._runner, self)
        self._listened: str | None = None  # layer whose choice is shown
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self.table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(lambda: self.copy_rows())
        self.table.installEventFilter(self)
        self.reader.changed.connect(self._show)
        self.target.chosen.connect(self._follow)
        self.table.selectionModel().currentRowChanged.connect(self._go)
        # One row is marked most of the time, by whatever was done last.
        self.copy.clicked.connect(lambda: self.copy_rows(2))
        self.save.clicked.connect(lambda: self._ask_path())
        self.left.connect(self.close_widget)
        self._follow(self.target.layer)

    def use(self, keeper: Keeper, layer: Labels | None) -> None:
        """Say of each object where it comes from, and list those of a layer.

        Parameters
        ----------
        keeper
            Of the dock in which objects are made.
        layer
            The one that takes them.
        """
        if self._keeper is not keeper:
            self._keeper = keeper
            keeper.changed.connect(self._keeper_changed)
            keeper.destroyed.connect(self._keeper_gone)
        if layer is not None:
            self.target.choose(layer)
        self._show()

    def close_widget(self) -> None:
        """Let go of everything; may be called more than once."""
        if self._closed:
            return
        self._closed = True
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._together.stop()
        self._show_together()
        self._hear(None)
        self.reader.close()
        self.target.close_choice()
        self._mail.close()
        self._runner.close()

    # ---- verbs

    def copy_rows(self, least: int = 1) -> None:
        """Put the chosen rows on the clipboard, or all if fewer than so many are."""
        chosen = sorted(one.row() for one in self.table.selectionModel().selectedRows())
        rows = chosen if len(chosen) >= least else list(range(self.rows.rowCount()))
        QApplication.clipboard().setText(self.rows.text(rows))
        self.counter.setText(f"Copied {len(rows):,} rows.")

    def save_as(self, path: str) -> None:
        """Write all rows into a CSV file."""
        if self.facts is None:
            return
        name = path if path.lower().endswith(".csv") else f"{path}.csv"
        try:
            write_objects_csv(name, self.facts)
        except StorageError as error:
            self.counter.setText(str(error))
            return
        self.counter.setText(f"Saved {name}.")

    def _ask_path(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the table", "objects.csv", "CSV (*.csv)"
        )
        if path:
            self.save_as(path)

    # ---- inside

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take digits in the table for classes, before it searches for them."""
        if watched is not self.table or event.type() != QEvent.Type.KeyPress:
            return False
        text = event.text() if isinstance(event, QKeyEvent) else ""
        if len(text) != 1 or text not in "0123456789":
            return False
        self._give(int(text))
        return True

    def _give(self, digit: int) -> None:
        """Give the chosen objects the class of a digit."""
        keeper = self._keeper
        if keeper is None or not self._is_told:
            self.counter.setText("Classes go with the layer that takes the objects.")
            return
        rows = self.table.selectionModel().selectedRows()
        keeper.giver.give_key([self.rows.number_at(at.row()) for at in rows], digit)

    @property
    def _is_told(self) -> bool:
        """Whether the layer that is listed is the one that takes the objects."""
        kept = None if self._keeper is None else self._keeper.layer
        return kept is not None and str(kept.layer.unique_id) == self._listened

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Listen to the dock in which objects are made, if it is open."""
        super().showEvent(event)
        from napari_gen2seg.gui.widget import SegmentWidget

        docks = main_window(self).findChildren(SegmentWidget)
        if self._keeper is None and docks:
            self.use(docks[0].keeper, docks[0].bridge.controller.objects.layer)

    def _keeper_changed(self) -> None:
        """List the layer that takes the objects, when that is another one now."""
        kept = None if self._keeper is None else self._keeper.layer
        name = None if kept is None else str(kept.layer.unique_id)
        if kept is not None and name != self._told_layer and not self._closed:
            self.target.choose(kept.layer)
        self._told_layer = name
        self._show()

    def _keeper_gone(self) -> None:
        self._keeper = None

    def _follow(self, layer: Labels | None) -> None:
        self._shared = None
        self._hear(layer)
        self.reader.follow(layer)

    def _hear(self, layer: Labels | None) -> None:
        """Hear which object is selected in another layer."""
        before = find_layer(self._viewer, self._listened)
        if before is not None:
            with suppress(ValueError, TypeError):
                before.events.selected_label.disconnect(self._mark)
        self._listened = None if layer is None else str(layer.unique_id)
        if layer is not None:
            layer.events.selected_label.connect(self._mark)

    def _show(self) -> None:
        """Show what was measured, with what the journal tells of it."""
        if self._closed:
            return
        table, keeper = self.reader.table, self._keeper
        if table is not None and keeper is not None and self._is_told:
            table = tell(table, keeper.objects.origins, keeper.objects.classes)
            self.rows.colors = {
                one.name: one.color for one in keeper.giver.classes if one.color
            }
        self.facts = table
        self._marking = True
        try:
            self.rows.show_table(table)
        finally:
            self._marking = False
        count = 0 if table is None else len(table)
        told = f"{count_text(count, 'object')} in view"
        if self.reader.measuring:
            told = "measuring…"
        self.counter.setText(self.reader.problem or told)
        self._share()
        self._mark()

    def _share(self) -> None:
        """Hand the facts to napari, where other plugins find them."""
        layer, table = self.reader.layer, self.facts
        if layer is None or table is None:
            return
        if any(size > 1 for size in layer.data.shape[:-2]):
            return  # a number may be an object of its own on every plane
        if self._shared is not None and same_facts(table, self._shared):
            return
        self._shared = table
        with suppress(ValueError):
            layer.features = shared_features(table, layer.features)

    def _go(self, now: Any, _before: Any) -> None:
        """Bring the object of a row into view."""
        view, layer, table = self.reader.view, self.reader.layer, self.facts
        if self._marking or not now.isValid() or view is None or table is None:
            return
        number = self.rows.number_at(now.row())
        place = table.place_of(number)
        if place is None or layer is None:
            return
        row, col, diameter = (
            float(table.column(name)[place]) for name in ("row", "column", "diameter")
        )
        center_on(self._viewer, view, (row, col), diameter)
        self._marking = True
        try:
            with looks_only(layer):
                self._point_out(layer)
                layer.selected_label = number
        finally:
            self._marking = False

    def _point_out(self, layer: Labels) -> None:
        """Show one object alone for a moment: among ninety, the eye finds none."""
        if self._alone is not layer:
            self._show_together()  # another layer, of which one is still alone
        if not layer.show_selected_label:
            layer.show_selected_label = True
            self._alone = layer
        self._together.start()  # from the last row chosen on

    def _show_together(self) -> None:
        """Show all objects again."""
        layer, self._alone = self._alone, None
        if layer is not None:
            with looks_only(layer):
                layer.show_selected_label = False

    def _mark(self, _event: object = None) -> None:
        """Mark the row of the object that is selected in the viewer."""
        layer = self.reader.layer
        if self._marking or layer is None:
            return
        row = self.rows.row_of(int(layer.selected_label))
        if row is None or row == self.table.currentIndex().row():
            return
        self._marking = True
        try:
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(
                self.rows.index(row, 0), flags.ClearAndSelect | flags.Rows
            )
            self.table.scrollTo(self.rows.index(row, 0))
        finally:
            self._marking = False


def same_facts(one: ObjectTable, two: ObjectTable) -> bool:
    """Whether two tables tell the same, the measures being one array."""
    return (
        one.measures is two.measures
        and np.array_equal(one.certainty, two.certainty, equal_nan=True)
        and np.array_equal(one.origin, two.origin)
        and np.array_equal(one.kind, two.kind)
    )


def shared_features(table: ObjectTable, there: Any) -> Any:
    """Return the facts as napari's features; columns of other plugins stay.

    Parameters
    ----------
    table
        The facts.
    there
        The features of the layer so far, a data frame.
    """
    import pandas as pd

    ours = pd.DataFrame(table.features())
    key = next((name for name in ("index", "label") if name in there.columns), None)
    others = [name for name in there.columns if name not in ours.columns]
    if key is None or not others:
        return ours
    theirs = there[[key, *others]].drop_duplicates(key).rename(columns={key: "index"})
    return ours.merge(theirs, how="left", on="index")
