"""The new model leaves: as a file, as a bioimage.io package, to the hub."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from tests.gui.trainer import Trainer, press
from tests.helpers.waiting import BACKSTOP_MS
from tests.models.hub.hub_server import StandIn

from napari_gen2seg.common.user_dirs import models_dir
from napari_gen2seg.gui.finetune.result import sharing
from napari_gen2seg.gui.finetune.result.share_forms import Form


@pytest.fixture
def server(monkeypatch):
    made = StandIn()
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    yield made
    made.close()


@pytest.fixture
def at(trainer: Trainer) -> Trainer:
    """Return somebody who looks at a result, undecided."""
    trainer.start(5)
    assert trainer.ended() == "done"
    return trainer


@pytest.fixture
def target(tmp_path, monkeypatch):
    path = tmp_path / "out.zip"
    monkeypatch.setattr(
        sharing.QFileDialog, "getSaveFileName", lambda *_: (str(path), "")
    )
    return path


def asked(at: Trainer, button: Any) -> Any:
    """Press a button by keyboard alone; return the form it opens."""
    button.setFocus()
    at.until(button.hasFocus)
    QTest.keyClick(button, Qt.Key.Key_Space)
    at.until(lambda: forms(at))
    return forms(at)[0]


def forms(at: Trainer) -> list[Any]:
    return [form for form in at.dialog.findChildren(Form) if form.isVisible()]


def publish(at: Trainer, repo: str) -> None:
    form = asked(at, at.dialog.result.share.hub)
    assert not form.go.isEnabled()
    QTest.keyClicks(form.repository, repo)
    QTest.keyClick(form.repository, Qt.Key.Key_Return)
    at.until(lambda: not forms(at))


def under_way(at: Trainer) -> bool:
    bar = at.dialog.result.share
    return bar.progress.isVisible() and not bar.hub.isEnabled()


def said(at: Trainer) -> str:
    """Wait for the end; return what the dialog says of it."""
    at.bot.waitUntil(lambda: not under_way(at), timeout=BACKSTOP_MS)
    return at.dialog.status.text()


def test_export_as_zip(at, target):
    press(at.dialog.result.share.export)
    assert "Exported to" in said(at)
    with zipfile.ZipFile(target) as archive:
        assert "out/model_index.json" in archive.namelist()


def test_a_model_is_published_by_keyboard(at, server):
    publish(at, "me/mine")
    assert under_way(at)
    assert "me/mine" in at.dialog.result.share.doing.text()
    assert said(at).startswith(f"Published: {server.url}/me/mine/commit/")
    model = at.work.model
    sent = server.uploaded["me/mine"]
    assert sent["model_index.json"] == (model / "model_index.json").read_bytes()
    assert any(name.endswith(".safetensors") for name in sent)


def test_a_refused_upload_is_a_sentence(at, server):
    server.refuse = 403
    publish(at, "somebody/else")
    text = said(at)
    assert text.startswith("The hub did not take 'somebody/else'")
    assert "hf auth login" in text
    assert at.dialog.result.share.hub.isEnabled()


def test_an_upload_is_cancelled(at, server):
    server.slow = 60.0  # or it may be done before anybody can press Cancel
    publish(at, "me/mine")
    press(at.dialog.result.share.cancel)
    assert said(at) == "Stopped before the end."
    assert server.uploaded == {}


def test_what_is_being_published_stays_where_it_is(at, server):
    server.slow = 60.0
    publish(at, "me/mine")
    result, doing = at.dialog.result, at.dialog.decisions
    assert not result.adopt.isEnabled() and not result.discard.isEnabled()
    assert not at.dialog.waiting.isEnabled()
    for do in (doing.adopt, doing.discard, at.dialog.start):
        at.dialog.status.setText("")
        do()
        assert "press Cancel" in at.dialog.status.text()
    assert not at.boxes()
    assert at.work.model.is_dir() and not models_dir().exists()
    press(result.share.cancel)
    assert said(at) == "Stopped before the end."
    press(result.adopt)
    # Pressed twice, it is copied once; and nothing else may be done with it meanwhile.
    assert not result.adopt.isEnabled() and not result.share.isEnabled()
    doing.adopt()
    doing.discard()
    at.until(result.remove.isVisible)
    assert result.remove.isEnabled() and result.share.isEnabled()
    assert [one.name for one in models_dir().iterdir()] == ["my-coins"]


def test_nothing_but_a_repository_is_taken(at, server):
    form = asked(at, at.dialog.result.share.hub)
    assert form.focusWidget() is form.repository
    for text in ("mine", "me/", "me/my model", "a/b/c"):
        form.repository.setText(text)
        assert not form.go.isEnabled(), text
    QTest.keyClick(form, Qt.Key.Key_Escape)
    assert not forms(at)
    assert server.requests == []


def pack(at: Trainer, licence: str) -> None:
    form = asked(at, at.dialog.result.share.bioimage)
    assert not form.go.isEnabled()
    QTest.keyClicks(form.author, "A. Person")
    form.licence.lineEdit().selectAll()
    QTest.keyClicks(form.licence.lineEdit(), licence)
    form.size.setCurrentText("128")
    QTest.keyClick(form.author, Qt.Key.Key_Return)


@pytest.fixture
def quick(trainer: Trainer, tiny_offsets: Path) -> Trainer:
    """Return somebody with the result of a model that packs without diffusers."""
    trainer.model = tiny_offsets
    trainer.start(5)
    assert trainer.ended() == "done"
    return trainer


@pytest.mark.slow
@pytest.mark.skipif(
    # Asked, not imported: that takes twelve seconds, and it runs in the child.
    find_spec("bioimageio") is None or find_spec("bioimageio.core") is None,
    reason="without bioimageio.core nothing is checked",
)
def test_a_package_for_bioimageio_is_written_and_checked(quick, target):
    at = quick
    pack(at, "none of those")
    assert under_way(at)
    assert "an id of spdx.org" in said(at)
    assert not target.exists()
    pack(at, "MIT")
    text = said(at)
    assert str(target) in text
    assert "checked by bioimageio.core" in text
    with zipfile.ZipFile(target) as archive:
        assert "license: MIT" in archive.read("rdf.yaml").decode()
        assert "A. Person" in archive.read("rdf.yaml").decode()
