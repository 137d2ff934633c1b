"""One napari viewer for several tests. The only place that patches napari and vispy.

napari makes its application, with every command, once in a process, and a second time
is an error; its own fixture `make_napari_viewer` gives each test another one. A viewer
takes seconds, so here a whole file of tests shares one, by the same means. The names
are private ones: they hold for napari 0.8 to 0.9, and only this file needs a look
when they change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

HOLDS_FOR = ("0.8", "0.9")


@lru_cache(maxsize=512)
def _found(pattern: Any, code: str) -> tuple[re.Match[str], ...]:
    return tuple(re.finditer(pattern, code))


class RememberedShaders:
    """``re`` for vispy, which reads the same shaders again for every layer.

    It takes the comments out of 75 000 letters each time, nearly a tenth of what a test
    of the window costs. What is found stays what it was.
    """

    sub = staticmethod(lru_cache(maxsize=512)(re.sub))

    @staticmethod
    def finditer(pattern: Any, code: str) -> Iterator[re.Match[str]]:
        return iter(_found(pattern, code))

    def __getattr__(self, name: str) -> Any:
        return getattr(re, name)


@contextmanager
def shared_viewer() -> Iterator[Any]:
    """Give a shown viewer with an application of its own."""
    import napari
    from app_model import Application
    from napari._app_model._app import NapariApplication, _napari_names
    from napari._qt._qapp_model.qactions import init_qactions
    from napari.plugins import _initialize_plugins

    app = NapariApplication("window")
    app.injection_store.namespace = _napari_names
    registrations = (_initialize_plugins, init_qactions)
    with (
        patch.object(NapariApplication, "get_app_model", return_value=app),
        patch("vispy.gloo.program.re", RememberedShaders(), create=True),
    ):
        for once in registrations:
            once.cache_clear()
        viewer = napari.Viewer(show=True)
        yield viewer
        viewer.close()
    Application.destroy("window")
    for once in registrations:
        once.cache_clear()
