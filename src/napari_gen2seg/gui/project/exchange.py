"""Labels of other programs come in, data sets go out, while nobody waits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import count_text
from napari_gen2seg.gui.project.new_dialog import ask_file, ask_folder, ask_new

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from napari_gen2seg.gui.project.click_dock import ClickDock
    from napari_gen2seg.gui.project.desk import Desk
    from napari_gen2seg.gui.project.jobs import Jobs
    from napari_gen2seg.project.exchange.exporting import Exported
    from napari_gen2seg.project.exchange.importing import Imported
    from napari_gen2seg.project.project import Project


class Exchange(QObject):
    """Imports labels into a project, and exports its pictures.

    Parameters
    ----------
    project
        Returns the one that is open, if one is.
    desk, click_dock
        The picture that is open, and where it is worked on: it is closed meanwhile.
    jobs
        Does the work.
    beside
        The window that asks for files; parent of this.
    """

    imported = Signal()
    warning = Signal(str)

    def __init__(
        self,
        project: Callable[[], Project | None],
        desk: Desk,
        click_dock: ClickDock,
        jobs: Jobs,
        beside: QWidget,
    ) -> None:
        super().__init__(beside)
        self._project, self._desk, self._click_dock = project, desk, click_dock
        self._jobs, self._beside = jobs, beside

    def ask_import(self, folder: bool) -> None:
        """Ask for a folder with labels, or a file, and import them."""
        ask_what = ask_folder if folder else ask_file
        title = "Folder with labels" if folder else "File with labels"
        ask_what(self._beside, title, lambda at: self.import_labels(Path(at)))

    def import_labels(self, source: Path) -> None:
        """Take labels that were made elsewhere; what is open is closed meanwhile."""
        project, item = self._project(), self._desk.item
        if project is None or not self._desk.leave():
            return

        def then(done: Any) -> str:
            if item is not None:
                self._desk.open(item)
            self.imported.emit()
            return imported_text(done)

        def start(*_: object) -> None:
            from napari_gen2seg.project.exchange.importing import import_labels

            self._jobs.run(
                lambda ticket: import_labels(
                    project,
                    source,
                    progress=ticket.progress,
                    cancel=lambda: ticket.cancelled,
                ),
                then,
            )

        dock = self._click_dock.find()
        if dock is None:
            start()
        else:  # behind the closing of the picture that was open
            dock.keeper.works.behind("import", lambda _: None, start)

    def ask_export(self, kind: str, in_work: bool) -> None:
        """Ask for a name, and export under it."""
        project = self._project()
        if project is not None:
            usual = project.folder.with_name(f"{project.folder.name}-{kind}")
            ask_new(
                self._beside, usual, lambda at: self.export(kind, Path(at), in_work)
            )

    def export(self, kind: str, target: Path, in_work: bool = False) -> None:
        """Write a data set of the pictures that are done, or in work too."""
        project = self._project()
        if project is None:
            return
        if target.exists():
            self.warning.emit(f"{target} is there already; choose another name.")
            return
        from napari_gen2seg.project.exchange.exporting import export_project

        states = ("done", "in work") if in_work else ("done",)
        self._jobs.run(
            lambda ticket: export_project(
                project,
                kind,
                target,
                states=states,
                progress=ticket.progress,
                cancel=lambda: ticket.cancelled,
            ),
            exported_text,
        )


def exported_text(done: Exported) -> str:
    """Say what an export wrote, and what its format does not keep."""
    parts = ", ".join(f"{n} {part}" for part, n in done.parts.items() if n)
    said = (
        f"{count_text(done.images, 'picture')} ({parts}) with "
        f"{count_text(done.objects, 'object')} are in {done.folder}."
    )
    return " ".join([said, *done.losses])


def imported_text(done: Imported) -> str:
    """Say what an import took in, and what it could not."""
    objects = count_text(sum(done.images.values()), "object")
    said = f"{objects} for {count_text(len(done.images), 'picture')} taken in."
    if done.unmatched:
        said += f" For {count_text(len(done.unmatched), 'file')} there is no picture."
    return " ".join([said, *done.notes[:2]])
