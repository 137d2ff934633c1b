"""Fine-tuning as a person does it: a real viewer, a real child process, real clicks."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject
from tests.gui.trainer import press

from napari_gen2seg.common.user_dirs import models_dir
from napari_gen2seg.gui.finetune.dialog import SETTINGS
from napari_gen2seg.jobs.training.past_runs import list_past_runs, waiting_runs

pytestmark = pytest.mark.usefixtures("home")


class Painted(QObject):
    """Counts how often a widget is painted."""

    count = 0

    def eventFilter(self, _watched: Any, event: Any) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_from_two_layers_to_a_model_in_use_and_back(trainer):
    """The whole job: pictures, settings, curves, result, adopt, revert."""
    at = trainer
    page = at.open().pictures
    assert [row.name for row in at.dialog.pairs.rows] == ["coins A", "coins B"]
    assert "2 pictures with 12 objects" in page.total.text()
    at.until(lambda: page.view.picture is not None)
    press(page.next)
    settings = at.settings()
    assert "'my coins' from 2 pictures with 12 objects" in settings.plan.text()
    assert "at least" in settings.memory.text()
    press(settings.start)
    assert at.dialog.tabs.currentWidget() is at.dialog.training
    at.steps(8)
    assert at.widget.model.finetune.text().startswith("Training: ")
    assert not settings.start.isEnabled()
    at.until(lambda: at.layer("training: coins B") is not None)
    made, source = at.layer("training: coins B"), at.layer("coins B")
    assert np.allclose(made.scale, source.scale)
    assert np.allclose(made.translate, source.translate)
    early = made.data.copy()
    at.until(lambda: not np.array_equal(at.layer("training: coins B").data, early))
    at.finish()

    result = at.dialog.result
    assert at.dialog.tabs.currentWidget() is result
    assert "better" in result.verdict.text()
    assert "0.83" in result.picture.currentText()
    at.until(lambda: result.views["mask after"].picture is not None)
    assert result.views["map before"].picture is not None
    press(result.show_layers)
    at.until(lambda: at.layer("coins B: objects after") is not None)
    assert np.allclose(at.layer("coins B: map before").scale, source.scale)
    assert len(at.dialog.training.score.points) >= 2
    assert at.widget.model.finetune.text() == "Fine-tune…"
    assert at.widget.session.model.choice.model == "mini"  # nothing silently

    press(result.adopt)
    at.until(lambda: at.widget.session.model.choice.model != "mini")
    folder = models_dir() / "my-coins"
    assert at.widget.session.model.choice.model == str(folder)
    assert at.widget.model.model.currentData() == str(folder)
    assert at.desk.person.layer("coloring") is not None  # coloured anew
    assert at.layer("training: coins B") is None
    assert waiting_runs() == []
    said = (at.dialog.status, at.widget.status)
    assert all("'my-coins' is in use" in one.text() for one in said)
    press(result.back)
    assert at.widget.session.model.choice.model == "mini"
    assert not at.widget.model.back.isVisible()
    assert folder.is_dir()
    assert all("mini (embedded) is in use" in one.text() for one in said)

    assert at.widget.memory.get("model") == "mini"

    press(result.adopt)  # and, after all, the new one
    assert at.widget.session.model.choice.model == str(folder)
    assert at.widget.memory.get("model") == str(folder)  # the map was there already
    assert [one.name for one in models_dir().iterdir()] == ["my-coins"]
    assert result.back.isVisible() and not result.adopt.isVisible()
    dock = at.widget.model.model
    dock.setCurrentIndex(dock.findData("mini"))
    dock.activated.emit(dock.currentIndex())
    assert all("mini (embedded) is in use" in one.text() for one in said)
    assert result.adopt.isVisible() and not result.back.isVisible()
    assert not at.widget.model.back.isVisible()


def test_the_docks_own_button_goes_back_too(trainer):
    trainer.adopt()
    trainer.until(lambda: trainer.widget.model.back.isVisible())
    assert "mini" in trainer.widget.model.back.text()
    press(trainer.widget.model.back)
    assert trainer.widget.session.model.choice.model == "mini"
    for label in (trainer.dialog.status, trainer.widget.status):
        assert label.text() == "mini (embedded) is in use."


def test_a_worse_model_is_never_used_unasked(trainer, monkeypatch):
    monkeypatch.setenv("TRAINING_CHILD", "worse")
    trainer.start(5)
    trainer.ended()
    result = trainer.dialog.result
    assert "worse" in result.verdict.text()
    press(result.adopt)
    assert "not better" in trainer.answer(yes=False)
    assert trainer.widget.session.model.choice.model == "mini"
    assert not models_dir().exists()
    press(result.discard)
    trainer.answer(yes=True)
    assert list_past_runs() == []
    assert trainer.dialog.tabs.currentWidget() is trainer.dialog.pictures
    assert trainer.layer("training: coins B") is None


def test_cancel_and_resume_continue_the_curve(trainer):
    at = trainer
    at.start()
    at.steps(10)
    page = at.dialog.training
    press(page.cancel)
    assert page.cancel.text() == "End now"
    assert at.ended() == "cancelled"
    assert "Resume" in page.heading.text()
    before = list(page.loss.points)
    press(page.resume)
    at.until(lambda: at.work.state == "running")
    assert page.loss.points[: len(before)] == before
    assert page.before.picture is not None
    at.steps(len(before) + 5)
    at.finish()
    steps = [step for step, _ in page.loss.points]
    assert steps == list(range(1, len(steps) + 1))


def test_curves_of_hours_come_back_with_a_repaint_or_two(trainer):
    page = trainer.open().training
    trainer.dialog.tabs.setCurrentWidget(page)
    trainer.until(page.loss.isVisible)
    trainer.bot.wait(50)
    events = [
        {"event": "step", "step": n, "steps": 500, "loss": 1 / n, "left": 500 - n}
        for n in range(1, 401)
    ]
    painted = Painted()
    page.loss.installEventFilter(painted)
    page.progress.installEventFilter(painted)
    trainer.work.replayed.emit(events)
    trainer.until(lambda: painted.count)
    trainer.bot.wait(50)
    assert painted.count < 10
    assert len(page.loss.points) == 400
    assert page.progress.format() == "1 min 40 s left, 400 steps done"


def test_stop_and_keep_best(trainer):
    trainer.start()
    trainer.steps(5)
    trainer.finish()
    assert trainer.dialog.result.adopt.isVisible()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_child_can_be_resumed(trainer):
    trainer.start()
    trainer.steps(10)
    os.kill(trainer.work.run.pid, signal.SIGKILL)
    assert trainer.ended() == "lost"
    page = trainer.dialog.training
    assert "memory" in page.heading.text()
    press(page.resume)
    trainer.finish()


@pytest.mark.parametrize(("mode", "word"), [("disk", "disk is full"), ("nan", "rate")])
def test_a_failure_shows_the_way_out(trainer, monkeypatch, mode, word):
    monkeypatch.setenv("TRAINING_CHILD", mode)
    trainer.start()
    assert trainer.ended() == "failed"
    page = trainer.dialog.training
    assert word in page.heading.text()
    assert word in trainer.dialog.status.text()
    monkeypatch.setenv("TRAINING_CHILD", "")
    press(page.resume)
    trainer.finish()


def test_no_room_for_the_pictures(trainer, monkeypatch):
    from napari_gen2seg.errors import StorageError
    from napari_gen2seg.gui.finetune.run import controller

    def full(*_: Any) -> None:
        raise StorageError("The disk is full: free some space.")

    monkeypatch.setattr(controller, "write_pairs", full)
    trainer.start()
    assert trainer.ended() == "idle"
    assert "disk is full" in trainer.dialog.status.text()
    assert list_past_runs() == []
    assert trainer.dialog.settings.start.isEnabled()


def test_the_source_layer_is_deleted_in_mid_training(trainer):
    at = trainer
    at.start()
    at.until(lambda: at.layer("training: coins B") is not None)
    at.viewer.layers.remove("coins B")
    early = at.layer("training: coins B").data.copy()
    at.until(lambda: not np.array_equal(at.layer("training: coins B").data, early))
    at.viewer.layers.remove("training: coins B")
    count = len(at.dialog.training.loss.points)
    at.steps(count + 12)
    assert at.layer("training: coins B") is None  # what was deleted stays deleted
    at.finish()
    press(at.dialog.result.show_layers)
    at.until(lambda: at.layer("coins B: objects after") is not None)
    assert at.layer("coins B") is not None  # the picture, from the run's own copy


def test_the_map_layer_may_be_unwanted_or_kept(trainer):
    at = trainer
    at.start()
    page = at.dialog.training
    at.until(lambda: at.layer("training: coins B") is not None)
    page.in_viewer.click()
    assert at.layer("training: coins B") is None
    page.in_viewer.click()
    assert at.layer("training: coins B") is not None
    page.keep_map.click()
    press(page.cancel)
    at.ended()
    press(page.discard)
    at.answer(yes=True)
    assert at.layer("training: coins B") is not None


def test_hidden_dialog_trains_on(trainer):
    trainer.start()
    trainer.steps(3)
    trainer.dialog.close()
    assert not trainer.dialog.isVisible()
    trainer.steps(9)
    assert trainer.widget.model.finetune.text() == "Training: 0%"
    press(trainer.widget.model.finetune)
    assert trainer.dialog.isVisible()
    trainer.finish()
    assert "finished" in trainer.widget.status.text()


def test_the_same_model_is_trained_on_with_its_own_crops(trainer):
    at = trainer
    at.adopt()
    press(at.dialog.result.more)
    page = at.dialog.settings
    assert at.dialog.tabs.currentWidget() is at.dialog.pictures
    assert page.model.currentData() == str(models_dir() / "my-coins")
    assert page.name.text() == "my-coins-tuned"
    press(at.dialog.pictures.next)
    press(page.start)
    at.until(lambda: at.work.run is not None)
    assert at.ended() == "done"
    (first, second) = sorted(list_past_runs(), key=lambda run: run.name)
    assert first.name == "my coins"
    config = (second.folder / "config.json").read_text()
    assert str(first.folder / "crops") in config


def test_a_model_in_use_is_removed(trainer):
    at = trainer
    at.adopt()
    press(at.dialog.result.remove)
    assert "Remove" in at.answer(yes=True)
    assert at.widget.session.model.choice.model == "mini"
    assert at.widget.model.model.findData(str(models_dir() / "my-coins")) < 0
    assert list(models_dir().iterdir()) == []
    assert list_past_runs() == []
    assert "'my-coins' is removed; mini (embedded) is in use" in at.widget.status.text()


def test_a_model_is_removed_in_the_dock_when_another_run_has_ended(trainer):
    at = trainer
    assert not at.widget.model.remove.isVisible()
    at.adopt()
    first = list_past_runs()[0]
    press(at.dialog.result.more)
    at.dialog.settings.fields["steps"].setValue(100_000)
    at.dialog.tabs.setCurrentIndex(SETTINGS)
    press(at.dialog.settings.start)
    press(at.widget.model.remove)
    at.answer(yes=True)
    assert "is being trained further" in at.widget.status.text()
    at.steps(6)
    press(at.dialog.training.cancel)
    at.ended()
    press(at.widget.model.remove)
    at.answer(yes=True)
    assert "starts from 'my-coins' and is not finished" in at.widget.status.text()
    press(at.dialog.training.resume)
    at.finish()
    press(at.widget.model.remove)
    assert "Remove" in at.answer(yes=True)
    assert list(models_dir().iterdir()) == []
    assert at.widget.session.model.choice.model == "mini"
    assert not at.widget.model.remove.isVisible()
    # What was learnt first is still replayed for what waits.
    assert {run.folder for run in list_past_runs()} == {
        first.folder,
        at.work.run.folder,
    }
    assert at.dialog.result.adopt.isVisible()  # of the run that waits still


def test_settings_are_remembered(trainer, memory):
    trainer.start(7)
    assert memory.get("training_steps") == 7
    assert memory.get("training_preset") == "quick"
    trainer.ended()


def test_a_length_set_by_hand_is_told_beside_the_dial_and_left_to_it_again(trainer):
    at = trainer
    at.open()
    page = at.settings(1200)
    press(at.dialog.pictures.next)
    assert page.by_hand.isVisible()
    assert "1,200 steps" in page.by_hand.text()
    press(page.presets["standard"])
    assert page.values["steps"] is None
    assert not page.by_hand.isVisible()
    assert "It ends after 15 minutes" in page.plan.text()


def test_a_result_left_undecided_is_offered_again(trainer, desk, qtbot):
    trainer.start(5)
    trainer.ended()
    trainer.dialog.close()
    trainer.widget.finetune.dialog.deleteLater()
    trainer.widget.finetune.dialog = None
    dialog = trainer.open()
    assert "waits for your decision" in dialog.waiting.text.text()
    press(dialog.waiting.take_up)
    assert dialog.tabs.currentWidget() is dialog.result
    trainer.until(lambda: dialog.result.views["truth"].picture is not None)
    press(dialog.result.adopt)
    trainer.until(lambda: (models_dir() / "my-coins").exists())


def test_another_window_knows_the_pictures_of_a_run(trainer, desk):
    at = trainer
    at.start()
    at.steps(8)
    press(at.dialog.training.cancel)
    at.ended()
    at.dialog.close()
    at.widget.finetune.dialog.shut()
    at.widget.finetune.dialog.deleteLater()
    at.widget.finetune.dialog = None
    at.viewer.layers.remove("coins A")  # whose labels take the other picture
    dialog = at.open()
    at.until(lambda: len(dialog.pairs.rows) == 2)
    press(dialog.waiting.take_up)
    at.until(lambda: at.layer("training: coins B") is not None)
    at.finish()
    assert "coins B" in dialog.result.picture.currentText()
    press(dialog.result.show_layers)
    at.until(lambda: at.layer("coins B: objects after") is not None)
    assert np.allclose(
        at.layer("coins B: objects after").scale, at.layer("coins B").scale
    )


def test_what_is_trained_from_is_what_is_in_use(trainer):
    at = trainer
    at.adopt()
    page, mine = at.dialog.settings, str(models_dir() / "my-coins")
    assert page.model.currentData() == mine
    press(at.dialog.result.back)
    assert page.model.currentData() == "mini"
    press(at.dialog.result.adopt)
    press(at.dialog.result.remove)
    at.answer(yes=True)
    assert page.model.findData(mine) < 0
    assert page.model.currentData() == "mini"


def test_all_of_it_fits_on_a_small_screen(trainer):
    at = trainer
    dialog = at.open()
    press(dialog.pictures.next)
    dialog.settings.fold.expand()
    at.bot.wait(50)
    dialog.resize(800, 600)
    at.bot.wait(50)
    assert dialog.height() <= 700
    press(dialog.settings.check)
    assert dialog.settings.start.isVisible()


def test_what_the_labels_set_right_is_told_before_the_training(trainer):
    page = trainer.open().training
    event = {
        "event": "use",
        "use": {"source_diameter": 9.6},
        "tried": [],
        "objects": 20,
    }
    trainer.work.replayed.emit(
        [{"event": "plan", "train": ["a"], "validation": ["b"]}, event]
    )
    trainer.until(lambda: "set right: It looks" in page.told.text())
    assert "measured 10 pixels" in page.told.text()
    assert "held back" in page.told.text()
