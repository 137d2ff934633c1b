"""A viewer, the dock widget in it, and a person at work."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from skimage import data
from tests.gui.person import Person
from tests.gui.trainer import CHILD, Trainer, coin_labels
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.session import Inline, Session


class Desk:
    """A viewer with the dock widget, and somebody in front of it."""

    def __init__(self, viewer: Any, widget: Any, bot: Any) -> None:
        self.viewer, self.widget = viewer, widget
        self.bridge, self.session = widget.bridge, widget.session
        self.person = Person(viewer, bot)

    @property
    def labels(self) -> np.ndarray:
        """The committed objects."""
        return np.asarray(self.person.layer("objects").data)


@pytest.fixture
def painter() -> FakeColorer:
    """Return a colorer without a network."""
    return FakeColorer()


@pytest.fixture
def memory(tmp_path: Any) -> FileMemory:
    """Return settings of this test alone."""
    return FileMemory(tmp_path / "settings.json")


@pytest.fixture(scope="module")
def window() -> Any:
    """Return one shown viewer for a file of tests: the first takes seconds."""
    import napari
    from app_model import Application
    from napari._app_model._app import NapariApplication, _napari_names
    from napari._qt._qapp_model.qactions import init_qactions
    from napari.plugins import _initialize_plugins

    # Commands are registered once in a process, and a second time is an error. So each
    # file has an application of its own, as each test with `make_napari_viewer` has.
    app = NapariApplication("window")
    app.injection_store.namespace = _napari_names
    registrations = (_initialize_plugins, init_qactions)
    with patch.object(NapariApplication, "get_app_model", return_value=app):
        for once in registrations:
            once.cache_clear()
        viewer = napari.Viewer(show=True)
        yield viewer
        viewer.close()
    Application.destroy("window")
    for once in registrations:
        once.cache_clear()


@pytest.fixture
def desk(window: Any, qtbot: Any, painter: FakeColorer, memory: FileMemory) -> Any:
    """Return a function that opens a desk on a picture; replies come at once."""
    from napari_gen2seg.gui.widget import SegmentWidget

    docks = []

    def make(picture: Any = None, session: Session | None = None, **layer: Any) -> Desk:
        window.add_image(data.coins() if picture is None else picture, **layer)
        widget = SegmentWidget(
            window,
            session or Session(Inline(), load=lambda *a, **k: painter),
            background=Inline(),
            memory=memory,
        )
        docks.append(window.window.add_dock_widget(widget, name="gen2seg"))
        return Desk(window, widget, qtbot)

    yield make
    for dock in docks:
        widget = dock.widget()
        window.window.remove_dock_widget(dock)
        widget.close_session()
        widget.deleteLater()
    window.layers.clear()
    window.dims.order = tuple(range(window.dims.ndim))


@pytest.fixture
def coins(desk: Any) -> Desk:
    """Coloured coins, ready for clicks."""
    at: Desk = desk()
    at.widget.model.color.click()
    at.person.wait(60)
    return at


@pytest.fixture
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this test folders of its own, and a quick stand-in for a training."""
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRAINING_CHILD_PACE", "0.03")


@pytest.fixture
def trainer(home: None, desk: Any, qtbot: Any, tiny_sd: Any) -> Any:
    """Return somebody who fine-tunes, with two labelled pictures open."""
    at = desk(name="coins A")
    at.viewer.add_labels(coin_labels(), name="labels A")
    at.viewer.add_image(
        np.fliplr(data.coins()), name="coins B", scale=(0.5, 0.5), translate=(10, 20)
    )
    at.viewer.add_labels(
        np.fliplr(coin_labels()), name="labels B", scale=(0.5, 0.5), translate=(10, 20)
    )
    at.widget.tuning.options = {"command": (sys.executable, str(CHILD))}
    made = Trainer(at, qtbot, tiny_sd)
    yield made
    work = getattr(made, "work", None)
    if work is not None and work.run is not None:
        work.run.kill()
