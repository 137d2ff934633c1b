"""Panels: they show what is, and only ask for what should be."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.core.probe.prober import ProbeSettings
from napari_gen2seg.gui.layers.channels import choice_of, inputs_of, picked
from napari_gen2seg.gui.layers.source import Source
from napari_gen2seg.gui.layers.view import ReadOptions
from napari_gen2seg.gui.panels.image_panel import ImagePanel
from napari_gen2seg.gui.panels.model_panel import ModelPanel
from napari_gen2seg.gui.panels.probe_panel import ProbePanel, slider_at, tolerance_at
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session import Choice, JobState, ModelState, Preview


@pytest.fixture
def probe(qtbot):
    panel = ProbePanel()
    qtbot.addWidget(panel)
    return panel


def test_slider_and_tolerance_agree():
    for value in (0, 1, 50, 133, 200):
        assert slider_at(tolerance_at(value)) == value
    assert slider_at(0) == 0
    assert slider_at(441) == 200


def test_showing_asks_for_nothing(probe):
    asked = []
    probe.settings_requested.connect(asked.append)
    probe.show_settings(ProbeSettings(tolerance=33.0, contiguous=False))
    preview = Preview(np.ones((3, 3), np.uint8), (0, 0), 21.0, 0.9, 1234.0)
    probe.show_preview(preview)
    probe.show_preview(None)
    assert asked == []
    assert not probe.auto.isChecked()
    assert not probe.contiguous.isChecked()


def test_result_is_said_in_words(probe):
    probe.show_preview(Preview(np.ones((3, 3), np.uint8), (0, 0), 21.0, 0.9, 1234.0))
    assert probe.result.text() == "about 1,234 pixels, clear outline"
    assert probe.value.text() == "21"
    nan = Preview(np.ones((3, 3), np.uint8), (0, 0), float("nan"), 0.1, 9.0)
    probe.show_preview(nan)
    assert "uncertain" in probe.result.text()
    assert probe.value.text() == "–"


def test_graph_is_drawn_and_a_press_asks_for_a_tolerance(probe, qtbot):
    painter = FakeColorer()
    disc = np.zeros((64, 64, 3), np.float32)
    disc[20:44, 20:44] = 1
    curve = painter.color(disc).prober.curve([(32, 32)])
    probe.resize(320, 300)
    probe.show()
    probe.show_curve(curve, 30.0)
    before = probe.curve.grab().toImage()
    asked = []
    probe.settings_requested.connect(asked.append)
    at = QPoint(probe.curve.width() // 2, 10)
    QTest.mouseClick(
        probe.curve, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at
    )
    assert asked[0]["tolerance"] == pytest.approx(np.sqrt(4 * 220), rel=0.05)
    probe.show_curve(None, None)
    assert probe.curve.grab().toImage() != before


@pytest.fixture
def model(qtbot):
    panel = ModelPanel(list_models())
    qtbot.addWidget(panel)
    return panel


def test_mini_comes_first_and_every_model_is_offered(model):
    assert model.model.itemData(0) == "mini"
    assert model.model.count() == len(list_models())


def test_model_of_ones_own_is_shown_by_its_folder(model, tmp_path):
    folder = str(tmp_path / "my model")
    model.show_model(ModelState(Choice(folder, "cpu", resolution=512)))
    assert model.model.currentText() == "my model"
    assert model.device.currentData() == "cpu"
    assert model.resolution.currentData() == 512
    model.show_model(ModelState(Choice(), True, "cpu", "float32", "No GPU here."))
    assert model.reason.text() == "No GPU here."


def test_progress_and_cancel_follow_the_job(model):
    model.show_job(JobState(True, 0.4, "Downloading 40 %"))
    assert model.cancel.isEnabled()
    assert model.progress.value() == 40
    assert model.doing.text() == "Downloading 40 %"
    model.show_job(JobState(True, None, "Coloring", expected=0.8))
    assert model.doing.text() == "Coloring"  # over before anybody has read it
    model.show_job(JobState(True, None, "Coloring", expected=61.2))
    assert model.doing.text() == "Coloring (0 of about 62 s)"
    model.show_job(JobState(text="Colored in 0.8 s"))
    assert not model.cancel.isEnabled()
    assert model.doing.text() == "Colored in 0.8 s"


@pytest.fixture
def picture(qtbot):
    viewer = ViewerModel()
    panel, source = ImagePanel(viewer), Source(viewer)
    panel.layer_chosen.connect(source.choose)
    panel.view_requested.connect(lambda view: source.change(**view))
    source.input_changed.connect(lambda: panel.show_source(source))
    source.input_changed.connect(lambda: panel.show_source(source))
    qtbot.addWidget(panel)
    yield viewer, panel, source
    source.close()
    panel.layer.close_choice()


def pick(combo, text):
    combo.setCurrentIndex(combo.findText(text))
    combo.activated.emit(combo.currentIndex())


def test_first_picture_is_chosen_and_layers_come_and_go(picture, qtbot):
    viewer, panel, source = picture
    assert source.layer is None
    assert "begin" in source.problem
    first = viewer.add_image(np.zeros((30, 40)), name="a")
    assert source.layer is first
    viewer.add_labels(np.zeros((30, 40), int))
    second = viewer.add_image(np.zeros((50, 60)), name="b")
    assert panel.layer.count() == 2
    assert source.layer is first
    panel.layer.choose(second)
    assert source.view.shape == (50, 60)
    second.name = "renamed"
    assert panel.layer.currentText() == "renamed"
    viewer.layers.remove(second)
    qtbot.waitUntil(lambda: source.layer is first)  # when napari is done removing
    viewer.layers.remove(first)
    qtbot.waitUntil(lambda: source.layer is None)


def test_contrast_and_inversion_are_asked_for(picture):
    viewer, panel, source = picture
    viewer.add_image(np.random.default_rng(0).random((30, 40)))
    panel.low.setValue(5)
    panel.invert.click()
    assert source.options.recipe == RgbRecipe(low=5, invert=True)
    panel.high.setValue(4)  # below the black point: said, and not taken
    assert source.options.recipe.high == 99.9
    assert "percentiles" in panel.facts.text()


def test_channels_of_one_layer(picture):
    viewer, panel, source = picture
    viewer.add_image(np.random.default_rng(0).random((5, 30, 40)))
    panel.stacked.click()
    assert source.options.channel_axis == 0
    assert source.reader()().shape == (30, 40, 5)
    pick(panel.channels[0], "channel 4")
    pick(panel.channels[2], "none")
    assert source.options.recipe.channels == (4, 1, None)
    assert [c.currentText() for c in panel.channels] == [
        "channel 4",
        "channel 1",
        "none",
    ]
    panel.stacked.click()
    assert source.options.channel_axis is None
    assert source.options.recipe.channels is None


def test_channels_from_other_layers(picture):
    viewer, panel, source = picture
    rng = np.random.default_rng(0)
    for name in ("dapi", "gfp"):
        viewer.add_image(rng.random((30, 40)), name=name)
    viewer.add_image(rng.random((31, 40)), name="another size")
    source.choose(viewer.layers["dapi"])
    names = [panel.channels[1].itemText(i) for i in range(3)]
    assert names == ["dapi", "gfp", "none"]
    pick(panel.channels[1], "gfp")
    pick(panel.channels[2], "none")
    assert source.options.recipe.channels == (0, 1, None)
    both = source.reader()()
    assert np.array_equal(both[..., 1], viewer.layers["gfp"].data)
    pick(panel.channels[1], "none")
    pick(panel.channels[0], "none")  # all black: said, and not taken
    assert "black" in panel.facts.text()
    assert source.options.recipe.channels == (0, None, None)


@pytest.mark.parametrize("wanted", [(0, 0, 0), (1, 0, None), (None, 1, 1), (0, 1, 0)])
def test_choice_and_what_is_picked_are_inverse(wanted):
    viewer = ViewerModel()
    layers = [viewer.add_image(np.zeros((30, 40)), name=name) for name in "ab"]
    inputs = inputs_of(viewer, layers[0], ReadOptions())
    channels, partners = choice_of(inputs, wanted)
    options = ReadOptions(partners=partners, recipe=RgbRecipe(channels=channels))
    assert picked(inputs, options) == wanted
