"""How a training ends, what becomes of it, and what a person is told meanwhile."""

from __future__ import annotations

import os

import pytest
from tests.gui.trainer import press

from napari_gen2seg.common.user_dirs import models_dir
from napari_gen2seg.gui.finetune.dialog import RESULT, SETTINGS
from napari_gen2seg.jobs.training.past_runs import list_past_runs, waiting_runs

pytestmark = pytest.mark.usefixtures("home")


def again(at, steps: int = 5) -> None:
    """Ask for one more training."""
    at.dialog.tabs.setCurrentIndex(SETTINGS)
    at.dialog.settings.fields["steps"].setValue(steps)
    press(at.dialog.settings.start)


def test_the_bar_tells_of_the_training_then_of_the_comparison(trainer):
    at = trainer
    at.start()
    at.steps(3)
    bar = at.dialog.training.progress
    assert bar.format().endswith("steps done") and " left, " in bar.format()
    told = []
    dock = at.widget.model.finetune
    at.work.happened.connect(
        lambda event: told.append(
            (event["event"], bar.format(), bar.value(), dock.text())
        )
    )
    at.finish()
    (stopping,) = [one for one in told if one[0] == "stopping"]
    assert "left" not in stopping[1] and stopping[2] == 0
    compared = [one[1:] for one in told if one[0] == "comparing"]
    assert compared == [
        ("coins B, old model: 0 of 2 objects clicked", 0, "Training: comparing, 0%"),
        ("coins B, new model: 1 of 2 objects clicked", 500, "Training: comparing, 50%"),
    ]
    assert (bar.format(), bar.value()) == ("", 1000)


def test_where_nothing_was_gained_there_is_no_new_model(trainer, monkeypatch):
    monkeypatch.setenv("TRAINING_CHILD", "unchanged")
    at = trainer
    at.start(5)
    assert at.ended() == "done"
    result = at.dialog.result
    assert "No step of this training was better" in result.verdict.text()
    assert "gain lies" not in result.verdict.text()
    assert not result.adopt.isVisible() and not result.share.isVisible()
    assert "nothing was gained. mini (embedded) is in use" in at.dialog.status.text()
    assert result.more.isVisible() and not result.remove.isVisible()
    assert result.discard.text() == "Forget this training"
    assert not result.discard.font().bold()
    at.dialog.decisions.adopt()  # as the question before another one might
    assert not models_dir().exists()
    monkeypatch.setenv("TRAINING_CHILD", "")
    again(at)
    buttons = [one.text() for one in at.boxes()[-1].buttons()]
    assert "Use it" not in buttons
    assert "gained nothing" in at.choose("Keep for later")
    assert at.ended() == "done"
    assert result.adopt.isVisible() and result.share.isVisible()
    assert result.discard.text() == "Throw it away"
    assert "gained nothing" in at.dialog.waiting.text.text()


def test_a_training_that_gained_nothing_is_tried_again_or_forgotten(
    trainer, monkeypatch
):
    monkeypatch.setenv("TRAINING_CHILD", "unchanged")
    at = trainer
    at.start(5)
    assert at.ended() == "done"
    press(at.dialog.result.more)
    assert at.dialog.tabs.currentWidget() is at.dialog.pictures
    assert at.dialog.settings.model.currentData() == at.work.base
    at.dialog.tabs.setCurrentWidget(at.dialog.result)
    press(at.dialog.result.discard)  # nothing is lost, so nobody is asked
    assert list_past_runs() == []


def test_where_nothing_was_held_back_nobody_knows(trainer, monkeypatch):
    monkeypatch.setenv("TRAINING_CHILD", "unheld")
    trainer.start(5)
    assert trainer.ended() == "done"
    result = trainer.dialog.result
    assert "Nothing was held back" in result.verdict.text()
    assert "not compared" in trainer.dialog.status.text()
    assert result.adopt.isVisible() and not result.show_layers.isEnabled()


def test_the_map_layer_goes_when_training_is_over(trainer):
    at = trainer
    at.start()
    at.until(lambda: at.layer("training: coins B") is not None)
    at.finish()
    at.bot.wait(300)  # a last map may still be on its way
    assert at.layer("training: coins B") is None
    at.dialog.training.in_viewer.setChecked(False)
    at.dialog.training.in_viewer.setChecked(True)  # seen once more, by wish
    assert at.layer("training: coins B") is not None
    at.dialog.close()
    assert at.layer("training: coins B") is None


def test_the_map_layer_goes_with_a_cancelled_training_that_is_closed(trainer):
    at = trainer
    at.start()
    at.until(lambda: at.layer("training: coins B") is not None)
    press(at.dialog.training.cancel)
    at.ended()
    at.dialog.close()
    assert at.layer("training: coins B") is None


def test_cancelled_with_nothing_saved_does_not_claim_that_it_was(trainer, monkeypatch):
    monkeypatch.setenv("TRAINING_CHILD", "stuck")
    at = trainer
    at.start()
    at.until(lambda: at.work.state == "running")
    page = at.dialog.training
    press(page.cancel)
    press(page.cancel)  # which says "End now" by then
    assert at.ended() == "cancelled"
    for label in (page.heading, at.dialog.status):
        assert label.text() == "Cancelled before anything was saved."
    assert not page.resume.isVisible() and page.discard.isVisible()
    before = at.work.run
    monkeypatch.delenv("TRAINING_CHILD")
    again(at)  # and nobody is asked about what holds nothing
    # Its folder may have the name of the one before: both can begin in one second.
    at.until(lambda: at.work.run is not None and at.work.run is not before)
    assert not at.boxes()
    assert at.ended() == "done"
    (left,) = list_past_runs()
    assert left.state == "done"


def test_what_a_crash_left_goes_when_the_dialog_opens(trainer, tmp_path):
    draft = tmp_path / "home" / ".planning-0123456789ab"
    draft.mkdir(parents=True)
    os.utime(draft, (0, 0))
    trainer.open()
    trainer.until(lambda: not draft.exists())


def test_a_result_is_asked_about_before_another_training(trainer):
    at = trainer
    at.start(5)
    at.ended()
    again(at)
    assert "neither used nor thrown away" in at.choose("Cancel")
    assert not at.work.busy and len(list_past_runs()) == 1
    assert at.dialog.tabs.isTabEnabled(RESULT)
    again(at)
    at.choose("Keep for later")
    at.until(lambda: at.work.run is not None and at.work.busy)
    waiting = at.dialog.waiting
    assert waiting.isVisible() and not waiting.take_up.isEnabled()
    assert at.ended() == "done"
    assert len(waiting_runs()) == 2
    assert waiting.take_up.isEnabled() and not waiting.which.isVisible()
    again(at)
    at.choose("Keep for later")
    at.ended()
    assert waiting.which.count() == 2 and waiting.which.isVisible()
    waiting.which.setCurrentIndex(1)
    first = min(list_past_runs(), key=lambda run: run.folder.name).folder
    press(waiting.take_up)
    assert at.work.run.folder == first
    assert at.dialog.tabs.currentIndex() == RESULT
    assert waiting.which.count() == 2  # the one that was there waits again


def test_a_result_is_used_before_another_training(trainer):
    at = trainer
    at.start(5)
    at.ended()
    again(at)
    at.choose("Use it")
    at.until(
        lambda: (models_dir() / "my-coins").is_dir() and len(list_past_runs()) == 2
    )
    assert at.widget.session.model.choice.model == str(models_dir() / "my-coins")
    assert at.ended() == "done"
    assert len(waiting_runs()) == 1


def test_an_unfinished_training_is_thrown_away_before_another(trainer):
    at = trainer
    at.start()
    at.steps(6)
    press(at.dialog.training.cancel)
    at.ended()
    (before,) = list_past_runs()
    again(at)
    assert "not finished" in at.choose("Throw away")
    at.until(lambda: at.work.run is not None)
    assert not before.folder.exists()
    assert at.ended() == "done"


def test_checking_shows_that_it_is_under_way_and_start_ends_it(trainer):
    at = trainer
    at.open()
    press(at.dialog.pictures.next)
    page = at.settings(5)
    press(page.check)
    assert page.checking.isVisible()
    assert not page.check.isEnabled() and page.check.text() == "Checking…"
    at.until(lambda: "Learns from" in page.memory.text())
    assert page.check.isEnabled() and not page.checking.isVisible()
    press(page.check)
    press(page.start)
    assert not page.checking.isVisible() and page.check.text() == "Check first"
    assert at.ended() == "done"
    assert "Loading" not in page.memory.text()
    assert page.check.isEnabled()
