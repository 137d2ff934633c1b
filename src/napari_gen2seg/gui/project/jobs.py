"""What takes its time is done behind the window, such as proposals for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import Cancelled, InUseError
from napari_gen2seg.project.propose import ItemFailed, propose
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari_gen2seg.project.project import Project
    from napari_gen2seg.session import Choice, ModelHost, Runner, Ticket


class Jobs(QObject):
    """Does one of them at a time, behind the window.

    Parameters
    ----------
    runner
        Where it is done.
    parent
        Deleted with it.
    """

    changed = Signal()  # begun or ended
    progressed = Signal(object, str)  # a fraction 0..1 or None, and what is done
    ended = Signal(str)  # what came of it, as a sentence

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._ticket: Ticket | None = None
        self._running = False

    @property
    def running(self) -> bool:
        """Whether something is being done."""
        return self._running

    def run(self, do: Callable[[Ticket], Any], then: Callable[[Any], str]) -> None:
        """Do something, unless something else is being done.

        Parameters
        ----------
        do
            On the other thread; the ticket hears of progress and tells of a cancel.
        then
            Given what `do` returned, in this thread; returns a sentence.
        """
        if self._running:
            self.ended.emit("Something is being done already; wait, or cancel it.")
            return
        self._running = True
        self.changed.emit()

        def done(_ticket: Ticket, value: Any, error: BaseException | None) -> None:
            self._running, self._ticket = False, None
            self.changed.emit()
            if isinstance(error, Cancelled):
                self.ended.emit("Cancelled.")
            elif error is not None:
                self.ended.emit(sentence(error))
            else:
                self.ended.emit(then(value))

        def report(_ticket: Ticket, fraction: float | None, text: str) -> None:
            self.progressed.emit(fraction, text)

        ticket = self._runner.submit("job", do, done, report)
        self._ticket = ticket if self._running else None

    def cancel(self) -> None:
        """Stop what is being done, at its next step."""
        if self._ticket is not None:
            self._ticket.cancel()


def propose_all(
    project: Project, host: ModelHost, choice: Choice, ticket: Ticket
) -> str:
    """Propose the objects of what nobody has begun, earlier proposals replaced.

    Returns
    -------
    str
        What came of it.

    Raises
    ------
    Gen2SegError
        If the model cannot be loaded, or Cancelled.
    """

    def cancel() -> bool:
        return ticket.cancelled

    ticket.progress(None, "Loading the model")
    colorer = host.colorer(choice, lambda _, text: ticket.progress(None, text), cancel)
    images = objects = 0
    problems: list[str] = []
    try:
        for event in propose(
            project,
            colorer,
            states=("untouched", "proposed"),
            passes=choice.passes,
            cancel=cancel,
            anew=True,
            model=choice.model,
        ):
            ticket.progress(event.number / event.count, event.name)
            if not isinstance(event, ItemFailed):
                images, objects = images + 1, objects + event.objects
            elif not isinstance(event.error, InUseError):  # that is being worked on
                problems.append(str(event.error))
    finally:
        colorer.unload()
    if not images and not problems:
        return "Nothing to propose: no picture is untouched."
    said = (
        f"{count_text(objects, 'object')} proposed in {count_text(images, 'picture')}."
    )
    return " ".join([said, *problems[:2]])
