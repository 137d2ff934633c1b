"""What is known of the pictures of the open project: read behind the window."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Cancelled
from napari_gen2seg.gui.project.entries import Entry, read_entry, thumbnail
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from napari_gen2seg.project.project import Project
    from napari_gen2seg.session import Runner, Ticket

_BATCH = 16  # pictures that are shown together while a project is read


class KnownEntries(QObject):
    """Reads entries, some at a time, and keeps what was found out since.

    Parameters
    ----------
    reader
        Worker thread.
    post
        Makes a call in the Qt thread, from any.
    parent
        Deleted with it.

    Attributes
    ----------
    entries
        By name.
    """

    arrived = Signal(list)  # entries that were read
    changed = Signal(object)  # an entry
    pictured = Signal(str, object)  # name, and uint8 (h, w, 3)
    warning = Signal(str)

    def __init__(
        self,
        reader: Runner,
        post: Callable[[Callable[[], None]], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reader, self._post = reader, post
        self.entries: dict[str, Entry] = {}
        self._turn = 0  # of the project that is read

    def forget(self) -> None:
        """Let go of the pictures of a project."""
        self.entries = {}

    def read(self, project: Project) -> None:
        """Read anew how far the pictures are."""
        self._turn += 1
        turn, icons = self._turn, not self.entries

        def work(ticket: Ticket) -> None:
            items = project.items
            for first in range(0, len(items), _BATCH):
                found = []
                for item in items[first : first + _BATCH]:
                    ticket.check()
                    found.append(read_entry(item))
                self._post(partial(self._arrived, turn, found))
            for item in items if icons else ():
                ticket.check()
                small = thumbnail(item)
                if small is not None:
                    self._post(partial(self._pictured, turn, item.name, small))

        def done(_ticket: Ticket, _value: Any, error: BaseException | None) -> None:
            if error is not None and not isinstance(error, Cancelled):
                self.warning.emit(sentence(error))

        self._reader.submit("read project", work, done)

    def read_again(self, name: str, wanted: Callable[[], bool]) -> None:
        """Read how far one picture is, if that is wanted when it was read."""
        entry = self.entries.get(name)
        if entry is None:
            return

        def done(_ticket: Ticket, found: Any, error: BaseException | None) -> None:
            if error is None and name in self.entries and wanted():
                self.take(self._as_known(found))

        self._reader.submit(f"entry {name}", lambda _: read_entry(entry.item), done)

    def take(self, entry: Entry) -> None:
        """Know this of a picture from now on."""
        self.entries[entry.name] = entry
        self.changed.emit(entry)

    def _arrived(self, turn: int, found: list[Entry]) -> None:
        if turn == self._turn:
            self.entries |= {one.name: self._as_known(one) for one in found}
            self.arrived.emit(found)

    def _pictured(self, turn: int, name: str, small: npt.NDArray[np.uint8]) -> None:
        if turn == self._turn:
            self.pictured.emit(name, small)

    def _as_known(self, entry: Entry) -> Entry:
        """Keep what was found out of a picture without being written anywhere."""
        before = self.entries.get(entry.name)
        if entry.doubt is None and before is not None:
            return replace(entry, doubt=before.doubt)
        return entry
