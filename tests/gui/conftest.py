"""A viewer, the dock widget in it, and a person at work."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from skimage import data
from tests.gui.person import Person
from tests.gui.trainer import CHILD, Trainer, coin_labels
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.leaked_widgets import none_left_behind
from tests.helpers.shared_viewer import SharedViewer

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
    """Return settings of this test alone; proposals have tests of their own."""
    kept = FileMemory(tmp_path / "settings.json")
    kept.set("proposals", False)
    return kept


@pytest.fixture(autouse=True)
def own_home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a data folder of its own: work of others is not offered to it."""
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows whenever all garbage is collected: by napari, mostly."""
    collect, seen = gc.collect, []

    def noted(*args: int) -> int:
        seen.append(1)
        return collect(*args)

    monkeypatch.setattr(gc, "collect", noted)
    return seen


@pytest.fixture(scope="session")
def shared(qapp: Any) -> Iterator[SharedViewer]:
    """Return what holds the viewer of this process: each takes seconds."""
    holder = SharedViewer()
    yield holder
    holder.close()


@pytest.fixture(autouse=True)
def no_leaked_widgets(
    shared: SharedViewer, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Fail a test that leaves windows of its own behind, and name who holds them."""
    if "window" in request.fixturenames:
        shared.get()  # it stays, and is nobody's
    elif "make_napari_viewer" in request.fixturenames:
        shared.close()  # napari's own fixture wants no other beside it
    with none_left_behind():
        yield


@pytest.fixture
def window(shared: SharedViewer) -> Iterator[Any]:
    """Return a shown viewer without layers or docks, shared with other tests."""
    viewer = shared.get()
    yield viewer
    viewer.layers.clear()
    viewer.dims.order = tuple(range(viewer.dims.ndim))
    left = shared.left()
    if left:
        shared.close()
    assert not left, f"the test left the shared viewer changed: {left}"


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
    at.widget.finetune.options = {"command": (sys.executable, str(CHILD))}
    made = Trainer(at, qtbot, tiny_sd)
    yield made
    work = getattr(made, "work", None)
    if work is not None and work.run is not None:
        work.run.kill()
