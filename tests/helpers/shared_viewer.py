"""One napari viewer for all tests of a process that need one.

The only place that patches napari and vispy.

napari makes its application, with every command, once in a process, and a second time
is an error; its own fixture `make_napari_viewer` gives each test another one. A viewer
takes seconds, so here the tests share one, by the same means: as long as each leaves it
as it was new (`trace`). The names are private ones: they hold for napari 0.8 to 0.9,
and only this file needs a look when they change.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from types import FunctionType, MethodType
from typing import Any
from unittest.mock import patch

from tests.helpers.leaked_widgets import let_go

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


def remembered_signatures(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return napari's look at whether a callback takes the event, once a function.

    It inspects the signature at every connect and disconnect, hundreds of times for
    each layer that goes: a twentieth of what a test of the window costs.
    """
    known: dict[tuple[Any, int, bool], bool] = {}

    def taken(callback: Any) -> bool:
        bound = isinstance(callback, MethodType)
        function = callback.__func__ if bound else callback
        if not isinstance(function, FunctionType) or vars(function):
            return check(callback)  # wrapped, or with a signature of its own
        key = function.__code__, len(function.__defaults__ or ()), bound
        if key not in known:
            known[key] = check(callback)
        return known[key]

    return taken


@contextmanager
def shown_viewer() -> Iterator[Any]:
    """Give a shown viewer with an application of its own."""
    import napari
    from app_model import Application
    from napari._app_model._app import NapariApplication, _napari_names
    from napari._qt._qapp_model.qactions import init_qactions
    from napari.plugins import _initialize_plugins
    from napari.settings import get_settings
    from napari.utils.events import EventEmitter
    from vispy.visuals.shaders.function import Function

    app = NapariApplication("window")
    app.injection_store.namespace = _napari_names
    registrations = (_initialize_plugins, init_qactions)
    check = remembered_signatures(EventEmitter._check_signature)
    clean = lru_cache(maxsize=512)(partial(Function._clean_code, None))
    with (
        patch.object(NapariApplication, "get_app_model", return_value=app),
        patch.object(EventEmitter, "_check_signature", staticmethod(check)),
        patch("vispy.gloo.program.re", RememberedShaders(), create=True),
        patch.object(Function, "_clean_code", lambda _, code: clean(code)),
        # Or every dock that comes writes where it is into napari's own settings.
        patch.object(get_settings(), "_save_on_change", False),
    ):
        for once in registrations:
            once.cache_clear()
        viewer = napari.Viewer(show=True)
        yield viewer
        viewer.close()
    Application.destroy("window")
    for once in registrations:
        once.cache_clear()


def trace(viewer: Any) -> dict[str, Any]:
    """Return what a test may leave behind in a viewer, by name."""
    return {
        "layers": len(viewer.layers),
        "docks": sorted(viewer.window.dock_widgets),
        "axes shown": viewer.dims.ndisplay,
        "order of axes": tuple(map(int, viewer.dims.order)),
        "theme": viewer.theme,
        "title": viewer.title,
        "keys": sorted(map(str, viewer.keymap)),
        "on a press": len(viewer.mouse_drag_callbacks),
        "on a move": len(viewer.mouse_move_callbacks),
        "on the wheel": len(viewer.mouse_wheel_callbacks),
        "on a double click": len(viewer.mouse_double_click_callbacks),
    }


class SharedViewer:
    """The viewer that tests share, made when one needs it."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._viewer: Any = None
        self._new: dict[str, Any] = {}

    def get(self) -> Any:
        """Return it, made now if there is none."""
        if self._viewer is None:
            self._viewer = self._open.enter_context(shown_viewer())
            self._new = trace(self._viewer)
            # Collecting beside it takes a tenth of a second, and napari does so at
            # every layer that goes.
            gc.collect()
            gc.freeze()
        return self._viewer

    def close(self) -> None:
        """Close it: who comes next gets a new one."""
        if self._viewer is not None:
            self._viewer = None
            self._open.close()
            gc.unfreeze()
            let_go()

    def left(self) -> dict[str, tuple[Any, Any]]:
        """Return what is not as it was new: how it was, and how it is."""
        if self._viewer is None:
            return {}
        now = trace(self._viewer)
        return {
            name: (value, now[name])
            for name, value in self._new.items()
            if now[name] != value
        }
