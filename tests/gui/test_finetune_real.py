"""The dialog with nothing put in its place: a network, the command, clicks."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from safetensors.torch import load_file, save_file
from skimage import data
from tests.gui.trainer import Trainer, coin_labels, press

import napari_gen2seg
from napari_gen2seg.common.user_dirs import models_dir
from napari_gen2seg.gui.finetune.settings_page import set_value
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.session import Inline, Session

MINI = Path(napari_gen2seg.__file__).parent / "models" / "mini"
COIN = (51, 155)
#: The labelled coins and a few more: half of the image, and half the work.
COINS = data.coins()[:224, :256]


@pytest.fixture
def faded(tmp_path: Path) -> Path:
    """Return mini with weak answers: it looks at the wrong size until it is told.

    At the right one the learned probe finds coins by the image alone, so that steps
    hardly matter.
    """
    folder = tmp_path / "faded"
    shutil.copytree(MINI, folder)
    (folder / "SHA256SUMS").unlink()
    path = folder / "model.safetensors"
    weights = load_file(path)
    for name in ("head.weight", "head.bias"):
        weights[name] = weights[name] * 0.1
    save_file(weights, path, {"format": "pt"})
    return folder


@pytest.fixture
def real(desk: Any, qtbot: Any, faded: Path, tmp_path: Path, monkeypatch: Any) -> Any:
    """Return somebody with two labelled pictures, who trains in earnest."""
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "home"))
    at = desk(session=Session(Inline()), picture=COINS, name="coins A")
    labels = coin_labels(shape=COINS.shape)
    at.viewer.add_labels(labels, name="labels A")
    at.viewer.add_image(np.fliplr(COINS), name="coins B")
    at.viewer.add_labels(np.fliplr(labels), name="labels B")
    made = Trainer(at, qtbot, faded)
    yield made
    work = getattr(made, "work", None)
    if work is not None and work.run is not None:
        work.run.kill()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_train_kill_resume_stop_use_click_and_go_back(real):
    at = real
    at.open()
    press(at.dialog.pictures.next)
    page = at.settings()
    set_value(page.fields["crop"], 128)
    set_value(page.fields["batch"], 1)
    press(page.start)
    at.until(lambda: watched(at) is not None)
    early = watched(at).data.copy()
    at.steps(2)
    os.kill(at.work.run.pid, signal.SIGKILL)
    assert at.ended() == "lost"

    known = len(at.dialog.training.loss.points)
    press(at.dialog.training.resume)
    at.steps(known + 3)
    score = at.dialog.training.score
    at.until(lambda: len(score.points) > 1)
    shown = watched(at)
    assert not np.array_equal(shown.data, early)
    at.finish()
    compared = at.work.compared
    (held,) = compared["pictures"]
    assert shown.name == "training: " + held["name"].replace("-", " ")
    assert compared["after"]["one_click"] > compared["before"]["one_click"]
    result = at.dialog.result
    at.until(lambda: result.views["mask after"].picture is not None)

    press(result.adopt)
    if not compared["better"]:
        assert "not better" in at.answer(yes=True)
    at.until(lambda: at.widget.session.model.choice.model != "mini")
    (folder,) = models_dir().iterdir()
    assert at.widget.session.model.choice.model == str(folder)
    at.dialog.close()
    person = at.desk.person
    at.viewer.layers.selection.active = at.layer("coins A")
    at.widget.model.color.click()
    at.until(lambda: person.layer("coloring") is not None)
    at.desk.widget.objects.target.choose(None)  # not the labels it learnt from
    at.desk.bridge.controller.current.next_object()
    person.click(*COIN)
    at.until(lambda: person.layer("preview").data.any())
    person.press(Qt.Key.Key_Return)
    assert at.desk.labels[COIN] == 1
    assert iou(at.desk.labels == 1, coin_labels(shape=COINS.shape) == 1) > 0.25
    press(at.widget.model.back)
    assert at.widget.session.model.choice.model == "mini"


def watched(at: Any) -> Any:
    """Return the layer with the held-back picture's map."""
    found = [one for one in at.viewer.layers if one.name.startswith("training: ")]
    return found[0] if found else None
