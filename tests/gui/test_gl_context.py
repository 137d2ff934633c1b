"""napari hands OpenGL commands over in the canvas's own context when a layer goes."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtGui import QOpenGLContext

COIN, SECOND = (51, 155), (124, 45)


@pytest.fixture
def handed_over(coins, monkeypatch):
    """Return in which contexts commands were handed over outside of a draw."""
    from vispy.gloo.context import GLContext

    finish, own = GLContext.finish, []

    def finished(self):
        canvas = coins.person.canvas.native
        own.append(QOpenGLContext.currentContext() == canvas.context())
        finish(self)

    monkeypatch.setattr(GLContext, "finish", finished)
    return own


def test_one_layer_that_goes(coins, handed_over):
    coins.person.click(*COIN)
    coins.person.wait(60)  # drawn, so that Qt's own context is the current one
    coins.viewer.layers.remove(coins.viewer.layers["Image"])
    assert handed_over
    assert all(handed_over)


def test_all_layers_at_once(coins, handed_over):
    coins.person.click(*COIN)
    coins.person.wait(60)
    coins.viewer.layers.select_all()
    coins.viewer.layers.remove_selected()
    assert handed_over
    assert all(handed_over)
    coins.viewer.add_image(np.zeros((40, 40)))
    coins.person.wait(60)
