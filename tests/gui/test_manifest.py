"""What napari may ask of us: manifest, samples, settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Layer
from npe2 import PluginManifest
from tests.helpers.fake_colorer import FakeColorer

import napari_gen2seg
from napari_gen2seg.gui.settings import DEFAULTS, FileMemory, NapariMemory, remembered
from napari_gen2seg.session import Inline, Session
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.setting import manifest_settings

MANIFEST = Path(napari_gen2seg.__file__).parent / "napari.yaml"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


def test_every_command_leads_somewhere(manifest):
    manifest.validate_imports()
    known = {command.id for command in manifest.contributions.commands}
    assert all(name.startswith("napari-gen2seg.") for name in known)
    used = {widget.command for widget in manifest.contributions.widgets}
    used |= {sample.command for sample in manifest.contributions.sample_data}
    for items in manifest.contributions.menus.values():
        used |= {item.command for item in items}
    assert used <= known
    assert {"napari/layers/segment", "napari/layers/annotate"} <= set(
        manifest.contributions.menus
    )


def test_samples_open_as_layers(manifest):
    from napari_gen2seg.gui import samples

    names = {command.python_name for command in manifest.contributions.commands}
    for name in ("coins", "cell", "ihc"):
        assert f"napari_gen2seg.gui.samples:{name}" in names
        for data, options, kind in getattr(samples, name)():
            layer = Layer.create(data, options, kind)
            assert min(layer.data.shape[:2]) > 100


def test_opening_the_dock_loads_no_model_library():
    code = (
        "import napari_gen2seg.gui.widget, napari_gen2seg.jobs.model.server, sys;"
        "print([m for m in ('torch', 'diffusers', 'transformers', 'peft',"
        " 'accelerate', 'huggingface_hub') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_session_loads_neither_qt_nor_napari():
    code = (
        "import napari_gen2seg.session, sys;"
        "print([m for m in ('napari', 'qtpy', 'vispy', 'torch') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_napari_keeps_the_settings_where_it_can(plugin_settings, npe2pm):
    pytest.importorskip("napari", minversion="0.9")
    from napari.settings import get_plugin_settings

    assert isinstance(remembered(), FileMemory)  # not registered: our own file
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    memory = remembered()
    assert isinstance(memory, NapariMemory)
    for name, default in DEFAULTS.items():
        assert memory.get(name) == default
    memory.set("device", "cpu")
    group = get_plugin_settings("napari-gen2seg").clicking
    assert group.device == "cpu"
    with pytest.raises(ValueError, match="device"):
        group.device = "abacus"


def test_file_memory_survives_and_forgives(tmp_path):
    path = tmp_path / "deep" / "settings.json"
    memory = FileMemory(path)
    assert memory.get("model") == "mini"
    memory.set("model", "other")
    memory.set("overwrite", True)
    again = FileMemory(path)
    assert again.get("model") == "other"
    assert again.get("overwrite") is True
    path.write_text('{"model": 7, "device"')
    assert FileMemory(path).get("model") == "mini"
    path.write_text('{"model": 7}')
    assert FileMemory(path).get("model") == "mini"


def test_unwritable_memory_costs_only_the_memory(tmp_path):
    (tmp_path / "file").write_text("")
    memory = FileMemory(tmp_path / "file" / "settings.json")
    memory.set("model", "other")
    assert memory.get("model") == "other"


def test_the_dock_opens_from_the_plugin_menu_and_remembers(
    make_napari_viewer_proxy, qtbot, monkeypatch, tmp_path
):
    """As napari opens it: through the manifest, with a proxy of the viewer."""
    from napari_gen2seg.gui import widget as module

    path = tmp_path / "settings.json"
    monkeypatch.setattr(module, "remembered", lambda: FileMemory(path))
    monkeypatch.setattr(module.Session, "warm_up", lambda self: None)
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(np.random.default_rng(0).random((64, 80)), name="noise")
    viewer.add_labels(np.zeros((64, 80), int), name="mine")
    dock, widget = viewer.window.add_plugin_dock_widget(
        "napari-gen2seg", "Segment by clicking"
    )
    qtbot.wait(50)
    assert widget.image.layer.currentText() == "noise"
    targets = widget.objects.target
    assert [targets.itemText(i) for i in range(targets.count())] == [
        "new Labels layer",
        "mine",
    ]
    widget.objects.overwrite.setChecked(True)
    widget.probe.contiguous.setChecked(False)
    size = widget.model.resolution
    size.setCurrentIndex(size.findData(512))
    size.activated.emit(size.currentIndex())
    widget.close_session()
    viewer.window.remove_dock_widget(dock)
    again = module.SegmentWidget(
        viewer, Session(Inline(), load=lambda *a, **k: FakeColorer()), Inline()
    )
    assert again.objects.overwrite.isChecked()
    assert not again.probe.contiguous.isChecked()
    # A size in pixels fits one picture: it is not carried into another session.
    assert again.session.model.choice.resolution is None
    assert not again.session.probing.settings.contiguous
    again.close_session()
    again.deleteLater()


def test_settings_of_a_training_are_declared_once(manifest):
    declared = manifest_settings(FinetuneConfig)
    properties = manifest.contributions.configurations["training"].properties
    shown = {
        name: one.model_dump(exclude_unset=True) for name, one in properties.items()
    }
    shown.pop("training_map")  # of the window, not of a training
    assert shown == declared
    assert list(shown) == list(declared)
    kept = {name: one["default"] for name, one in declared.items()}
    assert {name: DEFAULTS.get(name) for name in kept} == kept
    assert set(DEFAULTS) - set(kept) <= {
        *manifest.contributions.configurations["clicking"].properties,
        "model",
        "training_map",
    }
