"""Many layers removed at once: nobody takes one away that napari is about to remove."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from skimage import data

COIN = (51, 155)


def test_images_of_different_dimensions_go_together(desk, collected):
    at = desk(np.stack([data.coins()] * 3), name="stack")
    at.viewer.add_image(data.coins(), name="flat")
    for layer in ("stack", "flat", "stack"):
        collected.clear()
        at.widget.image.layer.choose(at.viewer.layers[layer])
        at.widget.model.color.click()
        at.person.wait(60)
        assert len(collected) <= 1, "coloring and preview go together"
        at.person.click(*COIN)
        at.person.press(Qt.Key.Key_Return)
    for order in (1, -1):
        layers = list(at.viewer.layers)[::order]
        at.viewer.layers.selection.clear()
        at.viewer.layers.selection.update(layers)
        at.viewer.layers.remove_selected()
        at.person.settle()
        assert at.bridge.source.layer is None
        assert not len(at.viewer.layers)
        at.viewer.add_image(np.stack([data.coins()] * 2))
        at.viewer.add_image(data.coins())
        at.widget.model.color.click()
        at.person.wait(60)
