"""The dock of a project: the queue, and what one does with pictures and all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QVBoxLayout

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.project.ahead import COUNT, Ahead
from napari_gen2seg.gui.project.buttons import ProjectButtons
from napari_gen2seg.gui.project.click_dock import ClickDock
from napari_gen2seg.gui.project.desk import Desk
from napari_gen2seg.gui.project.entries import Entry
from napari_gen2seg.gui.project.exchange import Exchange
from napari_gen2seg.gui.project.jobs import Jobs, propose_all
from napari_gen2seg.gui.project.known_entries import KnownEntries
from napari_gen2seg.gui.project.new_dialog import (
    NewProjectDialog,
    ask_folder,
)
from napari_gen2seg.gui.project.open_picture import OpenPicture
from napari_gen2seg.gui.project.queue_list import QueueList
from napari_gen2seg.gui.project.recent import recent_projects, remember_project
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.gui.settings import Memory, remembered
from napari_gen2seg.gui.widget import SegmentWidget
from napari_gen2seg.gui.working_dock import WorkingDock
from napari_gen2seg.models.registry import list_models, title_of
from napari_gen2seg.project.facts import PROJECT_NAME
from napari_gen2seg.project.making import Made, make_project
from napari_gen2seg.project.project import Project
from napari_gen2seg.session import Choice

if TYPE_CHECKING:
    import napari

    from napari_gen2seg.gui.finetune.dialog import FinetuneDialog
    from napari_gen2seg.session import ModelHost, Runner

_WORKED_ON = "untouched", "proposed", "in work"


class ProjectWidget(WorkingDock):
    """Opens a project; its pictures come one after the other into the viewer.

    Parameters
    ----------
    viewer
        napari gives it.
    runner, host, memory
        Where it works, who holds the model, and where settings are remembered; other
        than the usual ones for tests.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        runner: Runner | None = None,
        host: ModelHost | None = None,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(
            viewer, host, runner, "gen2seg-project", "gen2seg-project-work"
        )
        self._viewer = viewer
        self._memory = memory if memory is not None else remembered()
        self._reader, self._worker = self._runners
        self._dialog: FinetuneDialog | None = None  # of which is heard what is adopted
        self.project: Project | None = None
        self._repeated = ""  # what the dock for clicks said last
        self.known = KnownEntries(self._reader, self._mail.post, self)

        self.click_dock = ClickDock(viewer, self)
        self.ahead = Ahead(lambda: self.dock(), self._reader, self)
        self.desk = Desk(viewer, self.dock, self.ahead, self)
        self.jobs = Jobs(self._worker, self)
        self.exchange = Exchange(
            lambda: self.project, self.desk, self.click_dock, self.jobs, self
        )
        self.picture = OpenPicture(
            self.desk, self.click_dock, self.known, self.ahead, self
        )
        self.queue = QueueList()
        self.buttons = ProjectButtons()
        self.status = self.buttons.status
        self._counted_soon = debounce(self, self._show_progress, 100)
        self._lay_out()
        self._connect()
        self._show_project()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        column.addWidget(self.buttons.top)
        column.addWidget(self.queue, 1)
        column.addWidget(self.buttons.bottom)

    def _connect(self) -> None:
        buttons, desk, jobs = self.buttons, self.desk, self.jobs
        buttons.new_requested.connect(self._ask_pictures)
        buttons.open_requested.connect(self._ask_project)
        buttons.recent_requested.connect(lambda folder: self.open(Path(folder)))
        buttons.go_requested.connect(self.go)
        buttons.mark_requested.connect(self.mark)
        buttons.ahead_requested.connect(self._set_ahead)
        buttons.propose_requested.connect(self.propose)
        buttons.finetune_requested.connect(self.finetune)
        buttons.import_requested.connect(self.exchange.ask_import)
        buttons.export_requested.connect(self.exchange.ask_export)
        buttons.cancel_requested.connect(jobs.cancel)
        buttons.crowded.connect(self.queue.show_crowded)
        jobs.changed.connect(lambda: buttons.show_running(jobs.running))
        jobs.progressed.connect(buttons.show_progress)
        jobs.ended.connect(self.say)
        desk.changed.connect(self._desk_changed)
        desk.left.connect(self._read_again)
        desk.in_use.connect(self._show_in_use)
        desk.status_changed.connect(self.say)
        desk.warning.connect(self._warn)
        self.known.arrived.connect(self._arrived)
        self.known.changed.connect(self._entry_changed)
        self.known.pictured.connect(self.queue.show_thumbnail)
        self.known.warning.connect(self._warn)
        self.queue.asked.connect(self.open_picture)
        self.queue.order_changed.connect(self._look_ahead)
        self.click_dock.appeared.connect(self._appeared)
        self.picture.told.connect(buttons.show_work)
        self.exchange.imported.connect(self.read)
        self.exchange.warning.connect(self._warn)
        self.click_dock.said.connect(self._repeat)
        self.ahead.doubted.connect(self._doubted)
        self.ahead.kept.connect(self._read_again)
        self.ahead.failed.connect(desk.color_open)
        on = self._memory.get("project_ahead")
        buttons.ahead.setChecked(on)
        desk.color = self.ahead.on = on
        for key, call in self._keys().items():
            self._viewer.bind_key(key, call, overwrite=True)

    @property
    def entries(self) -> dict[str, Entry]:
        """What is known of the pictures, by name."""
        return self.known.entries

    def _keys(self) -> dict[str, Callable[[Any], None]]:
        return {
            "PageDown": self._next_by_key,
            "PageUp": self._previous_by_key,
            "Control-Enter": self._done_by_key,
        }

    # ---- the dock for clicks

    def dock(self, make: bool = False) -> SegmentWidget | None:
        """Return the dock for clicks of this window; see `ClickDock.find`."""
        return self.click_dock.find(make)

    def _appeared(self, dock: SegmentWidget) -> None:
        """Tell a dock of the pictures and the model of this project."""
        self._give_homes()
        model = "" if self.project is None else self.project.facts.model
        known = {spec.id for spec in list_models()}
        if model in known - {"mini", dock.session.model.choice.model}:
            dock.choose(model=model)

    def _give_homes(self) -> None:
        """Tell where work on a picture belongs that a person drops into the window."""
        dock = self.click_dock.heard
        if dock is not None:
            homes = {one.key: one.item.folder for one in self.entries.values()}
            with suppress(RuntimeError):  # Qt may have deleted it
                dock.keeper.works.homes = homes

    def _repeat(self, text: str) -> None:
        """Say what the dock for clicks says behind this one."""
        if not self._closed and (text or self.status.text() == self._repeated):
            self.say(text)
            self._repeated = self.status.text()

    # ---- a project

    def open(self, folder: Path) -> None:
        """Open a project in place of the one that is open."""
        try:
            project = Project.open(folder)
        except Gen2SegError as error:
            self._warn(str(error))
            return
        self._take(Made(project))

    def make(self, pictures: Path, folder: Path, copy: bool = False) -> None:
        """Make a project of the pictures in a folder, and open it."""
        sources = [pictures]
        self.jobs.run(
            lambda ticket: make_project(
                folder,
                sources,
                copy=copy,
                progress=ticket.progress,
                cancel=lambda: ticket.cancelled,
            ),
            self._take,
        )

    def _take(self, made: Made) -> str:
        if not self.desk.leave():
            return ""
        self.project = made.project
        self.known.forget()
        self.ahead.want([])
        self.queue.forget()
        self.click_dock.tell_anew()  # of model and pictures
        remember_project(self._memory, made.project.folder)
        self._show_project()
        self.read()
        said = " ".join(made.problems[:3])
        self.say(said)
        return said

    def read(self) -> None:
        """Read anew how far the pictures are."""
        if self.project is not None:
            self.known.read(self.project)

    def _arrived(self, found: list[Entry]) -> None:
        self.queue.show_entries(self.entries)
        self._give_homes()
        if self.desk.item is None:
            self.desk.find({str(one.item.folder): one.item for one in found})
        self._desk_changed()
        self._show_project()

    # ---- its pictures

    def open_picture(self, name: str) -> None:
        """Open a picture in the viewer."""
        entry = self.entries.get(name)
        if entry is not None:
            self.desk.open(entry.item)

    def go(self, step: int) -> None:
        """Open the next picture of the list, or the one before."""
        at = self.desk.asked
        before, after = self.queue.around("" if at is None else at.name)
        if step > 0 and not after:
            self.say("This is the last picture of the list.")
        elif step < 0 and not before:
            self.say("This is the first picture of the list.")
        else:
            self.desk.open((after[0] if step > 0 else before[-1]).item)

    def mark(self, state: str) -> None:
        """Say that the picture that is open is done or skipped, and go on."""
        if not self.desk.mark(state):
            return
        left = self._left()
        if left:
            self.desk.open(left[0].item)
        else:
            self.say("Every picture of the list is done or skipped.")

    def _left(self) -> list[Entry]:
        """List the pictures that are to be worked on, from the one that is open on."""
        at = self.desk.asked
        before, after = self.queue.around("" if at is None else at.name)
        return _workable([*after, *before])

    def _next_by_key(self, _viewer: object) -> None:
        self.go(1)

    def _previous_by_key(self, _viewer: object) -> None:
        self.go(-1)

    def _done_by_key(self, _viewer: object) -> None:
        self.mark("done")

    def _desk_changed(self) -> None:
        """Show which picture is open, and how far it is."""
        item = self.desk.item
        self.queue.show_open("" if item is None else item.name)
        self.buttons.show_open(item is not None)
        self.picture.look()
        self._look_ahead()

    def _show_in_use(self, name: str, why: str) -> None:
        entry = self.entries.get(name)
        if entry is not None:
            self.queue.show_entry(replace(entry, problem=why))

    def _read_again(self, name: str) -> None:
        """Read how far a picture is that was left."""

        def left() -> bool:
            now = self.desk.item
            return now is None or now.name != name

        self.known.read_again(name, left)

    def _entry_changed(self, entry: Entry) -> None:
        self.queue.show_entry(entry)
        self._counted_soon.start()

    # ---- ahead

    def _set_ahead(self, on: bool) -> None:
        self._memory.set("project_ahead", on)
        self.desk.color = self.ahead.on = on
        self._look_ahead()

    def _look_ahead(self) -> None:
        at = self.desk.item
        if at is not None:
            _, after = self.queue.around(at.name)
            self.ahead.want([one.item for one in _workable(after)[:COUNT]])

    def _doubted(self, name: str, doubt: float) -> None:
        entry = self.entries.get(name)
        if entry is not None:
            self.known.take(replace(entry, doubt=doubt))

    # ---- all of them

    def propose(self) -> None:
        """Propose the objects of what nobody has begun."""
        project, dock = self.project, self.dock()
        if project is None:
            return
        self.buttons.offer.hide()
        choice = dock.session.model.choice if dock is not None else None
        chosen = choice or Choice(project.facts.model)
        self.jobs.run(
            lambda ticket: propose_all(project, self._host, chosen, ticket),
            self._reread,
        )

    def finetune(self) -> None:
        """Open the fine-tuning dialog with the pictures that are in work or done."""
        project, dock = self.project, self.dock(make=True)
        if project is None or dock is None:
            return
        dialog = dock.finetune.open()
        item = self.desk.item
        dialog.pairs.add_project(project.folder, [] if item is None else [item.name])
        if dialog is not self._dialog:
            self._dialog = dialog
            dialog.adopted.connect(self._adopted)

    def _adopted(self, model: str) -> None:
        """Offer the new model to what nobody has begun."""
        if self.project is None or self._closed:
            return
        try:
            self.project = self.project.with_model(model)
        except Gen2SegError as error:
            self._warn(str(error))
        self.ahead.again()
        self.buttons.show_offer(title_of(model))

    def _reread(self, said: str) -> str:
        self.read()
        return said

    # ---- asking

    def _ask_pictures(self) -> None:
        ask_folder(self, "Folder with the pictures", self._pictures_chosen)

    def _pictures_chosen(self, folder: str) -> None:
        if (Path(folder) / PROJECT_NAME).is_file():
            self.open(Path(folder))
        else:
            NewProjectDialog.ask(Path(folder), self, self.make)

    def _ask_project(self) -> None:
        ask_folder(self, "Folder of a project", lambda at: self.open(Path(at)))

    # ---- telling

    def say(self, text: str) -> None:
        """Say something in the lines below the list."""
        self.buttons.show_status(text)

    def _warn(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        self.say(text)
        show_warning(text)

    def _show_project(self) -> None:
        recent = recent_projects(self._memory)
        self.buttons.show_project(self.project, recent)
        self._counted_soon.start()

    def _show_progress(self) -> None:
        self.buttons.page.show_entries(list(self.entries.values()))

    # ---- leaving

    def stop_work(self) -> None:
        """Stop; the picture that is open stays, with its work."""
        self.picture.close()
        self.ahead.close()
        self.jobs.cancel()
        with suppress(ValueError, TypeError, KeyError):
            for key in self._keys():
                self._viewer.bind_key(key, None)
        self.click_dock.release()
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._counted_soon.stop()


def _workable(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that are neither done nor skipped, and can be read."""
    return [one for one in entries if one.state in _WORKED_ON and not one.problem]
