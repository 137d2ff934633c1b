"""One model process for each viewer, whichever of our docks are open in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_gen2seg.session import ModelHost

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.gui.qt_threads import Mailbox
    from napari_gen2seg.session import Runner

_HOSTS: WeakKeyDictionary[ViewerModel, ModelHost] = WeakKeyDictionary()


def shared_host(viewer: ViewerModel) -> ModelHost:
    """Return the host that the docks of a viewer share; another once all were closed.

    Who works with it calls `ModelHost.join`, and `ModelHost.leave` when closed.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)  # plugins are given a proxy
    host = _HOSTS.get(viewer)
    if host is None or not host.users:
        host = _HOSTS[viewer] = ModelHost()
    return host


class Release:
    """Ends a dock's threads and leaves the model, once; knows nothing of the dock.

    napari closes its window without telling the docks inside: connected to
    ``destroyed``, it must not keep the dock alive.

    Parameters
    ----------
    mail, host, runners
        What the dock held.
    """

    def __init__(self, mail: Mailbox, host: ModelHost, *runners: Runner) -> None:
        self._mail, self._runners = mail, runners
        self._host: ModelHost | None = host

    def __call__(self, *_: object) -> None:
        """Let go; does nothing a second time."""
        host, self._host = self._host, None
        if host is not None:
            self._mail.close()
            for runner in self._runners:
                runner.close()
            host.leave()
