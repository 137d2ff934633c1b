"""A viewer, the dock widget in it, and a person at work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import data

from napari_gen2seg.gui.settings import FileMemory
from napari_gen2seg.session import Inline, Session
from tests.gui.painter import Painter
from tests.gui.person import Person


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
def memory(tmp_path: Any) -> FileMemory:
    return FileMemory(tmp_path / "settings.json")


class Desk:
    """A viewer with the dock widget, and somebody in front of it."""

    def __init__(self, viewer: Any, widget: Any, person: Person) -> None:
        self.viewer, self.widget, self.person = viewer, widget, person
        self.bridge, self.session = widget.bridge, widget.session

    @property
    def labels(self) -> np.ndarray:
        return np.asarray(self.person.layer("objects").data)


@pytest.fixture
def desk(make_napari_viewer: Any, qtbot: Any, painter: Painter, memory: FileMemory):
    """Return a function that opens a desk on a picture; replies come at once."""
    from napari_gen2seg.gui.widget import SegmentWidget

    opened = []

    def make(picture: Any = None, session: Session | None = None, **layer: Any) -> Desk:
        viewer = make_napari_viewer(show=True)
        viewer.add_image(data.coins() if picture is None else picture, **layer)
        widget = SegmentWidget(
            viewer,
            session or Session(Inline(), load=lambda *a, **k: painter),
            eyes=Inline(),
            memory=memory,
        )
        viewer.window.add_dock_widget(widget, name="gen2seg")
        opened.append(widget)
        return Desk(viewer, widget, Person(viewer, qtbot))

    yield make
    for widget in opened:
        widget.close_session()
