"""A dock that works behind the window, with the model that all docks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.gui.model_hosts import Release, shared_host
from napari_gen2seg.gui.panels.docked import Docked
from napari_gen2seg.gui.qt_threads import Mailbox, lane

if TYPE_CHECKING:
    import napari

    from napari_gen2seg.session import ModelHost, Runner


class WorkingDock(Docked):
    """Holds threads and the model, and lets go of them once.

    Either when it has left the window, or with the window, which napari closes without
    telling the widgets inside.

    Parameters
    ----------
    viewer
        Whose docks share a model.
    host, runner
        Who holds the model, and where it works; the usual ones if None.
    lanes
        Names of the usual worker threads.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        host: ModelHost | None,
        runner: Runner | None,
        *lanes: str,
    ) -> None:
        super().__init__()
        self._mail = Mailbox(self)
        self._runners = [runner or lane(self._mail, name) for name in lanes]
        self._host = (shared_host(viewer) if host is None else host).join()
        self._closed = False
        self._release = Release(self._mail, self._host, *self._runners)
        self.left.connect(self.close_widget)
        self.destroyed.connect(self._release)

    def close_widget(self) -> None:
        """Let go of everything; may be called more than once."""
        if not self._closed:
            self._closed = True
            self.stop_work()
            self._release()

    def stop_work(self) -> None:
        """Stop what the dock does, before it lets go of threads and model."""
