"""What must end when the window is gone: threads, and the child that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.gui.jobs import Mailbox
    from napari_gen2seg.session import Runner
    from napari_gen2seg.session.training import TrainingRun


class Hold:
    """Holds the run, for whoever must end it when the window is gone already."""

    def __init__(self) -> None:
        self.run: TrainingRun | None = None

    def close(self) -> None:
        """Let the child save its state and end; nobody is told any more."""
        if self.run is not None:
            self.run.close()


def let_go(mail: Mailbox, hold: Hold, runners: tuple[Runner, ...], *_: object) -> None:
    """End threads and child; knows nothing of a dialog that may be gone."""
    mail.close()
    hold.close()
    for runner in runners:
        runner.close()
