"""One model process for each viewer, whichever of our docks are open in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_gen2seg.session import ModelHost

if TYPE_CHECKING:
    from napari.components import ViewerModel

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
