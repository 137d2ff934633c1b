"""A class gets another name: in the list, in the window, in the project behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.project.classes import check_new_name, rename_class
from napari_gen2seg.project.item import project_around
from napari_gen2seg.project.journal import Act
from napari_gen2seg.project.project import Project
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from pathlib import Path

    from napari_gen2seg.gui.classes.book import ClassBook
    from napari_gen2seg.gui.saving.keeper import Keeper
    from napari_gen2seg.gui.saving.kept_layer import KeptLayer
    from napari_gen2seg.session import Runner, Ticket


class ClassRenamer(QObject):
    """Gives classes other names.

    Parameters
    ----------
    keeper
        Keeps the work on the images of this window.
    book
        Which classes there are.
    runner
        Where the images of a project are gone through.
    parent
        Deleted with it.
    """

    warning = Signal(str)

    def __init__(
        self,
        keeper: Keeper,
        book: ClassBook,
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._keeper, self._book, self._runner = keeper, book, runner
        keeper.giver.rename_requested.connect(self._call)

    def rename(self, old: str, new: str) -> None:
        """Give a class another name, as one step that can be taken back."""
        new = new.strip()
        if new != old:
            self._call(old, new, note=True)

    def _call(self, old: str, new: str, note: bool = False) -> None:
        project = self._book.project
        if project is not None:
            self._call_in_project(project, old, new, note)
            return
        try:
            check_new_name([one.name for one in self._book.classes], old, new)
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return
        for kept in self._keeper.layers.values():
            if kept.begun and not _in_project(kept):
                kept.record(Act("rename", values={"class": old, "name": new}))
        self._book.rename(old, new)
        self._tell(old, new, note)

    def _call_in_project(self, project: Path, old: str, new: str, note: bool) -> None:
        """Go through the images of a project; there may be hundreds."""
        open_ones = [one.journal for one in self._keeper.layers.values() if one.journal]

        def work(_ticket: Ticket) -> None:
            rename_class(Project.open(project), old, new, open_ones)

        def done(_ticket: Ticket, _value: Any, error: BaseException | None) -> None:
            if error is not None:
                self.warning.emit(sentence(error))
                return
            self._book.follow(project)
            self._tell(old, new, note)

        self._runner.submit(f"rename {old}", work, done)

    def _tell(self, old: str, new: str, note: bool) -> None:
        self._keeper.changed.emit()
        if note:
            self._keeper.giver.note_rename(old, new)


def _in_project(kept: KeptLayer) -> bool:
    journal = kept.journal
    return journal is not None and project_around(journal.folder) is not None
