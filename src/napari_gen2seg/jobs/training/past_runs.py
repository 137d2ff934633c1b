"""The run folders of fine-tunings: made, listed, taken up again, thrown away."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.text import slug
from napari_gen2seg.common.user_dirs import data_dir
from napari_gen2seg.errors import StorageError
from napari_gen2seg.jobs.training.child import child_lives
from napari_gen2seg.train.finetune.old_words import in_new_words
from napari_gen2seg.train.finetune.run_folder import (
    BEST_NAME,
    CONFIG_NAME,
    CROPS,
    DECISION_NAME,
    ERRORS_NAME,
    EVENTS_NAME,
    MODEL_NAME,
    STATE_NAME,
)


@dataclass(frozen=True)
class PastRun:
    """A run folder that is there.

    Parameters
    ----------
    folder
        Where.
    name
        Of the new model.
    model
        The model it starts from.
    state
        ``running``, ``done``, ``failed``, ``cancelled`` or ``lost``.
    step, steps
        How far it came; 0 where it never began.
    when
        Seconds since the epoch of its last sign of life.
    resumable
        Whether it can go on.
    decided
        Whether somebody adopted it; discarded runs are gone.
    unchanged
        Whether it ended with the model it began with, since nothing was better.
    """

    folder: Path
    name: str
    model: str
    state: str
    step: int
    steps: int
    when: float
    resumable: bool
    decided: bool
    unchanged: bool = False

    @property
    def waits(self) -> bool:
        """Whether a person may resume it, or is to decide on it."""
        return self.resumable or (self.state == "done" and not self.decided)


def runs_dir() -> Path:
    """Return the folder that holds all run folders."""
    return data_dir() / "training"


def new_run(name: str) -> Path:
    """Name a run folder that does not exist yet; it is made by its first file."""
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{slug(name)}"
    folder, count = runs_dir() / stem, 1
    while folder.exists():
        count += 1
        folder = runs_dir() / f"{stem}-{count}"
    return folder


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Read the events of a run; a line cut off by a crash is left out."""
    try:
        text = (folder / EVENTS_NAME).read_text("utf-8", "replace")
    except OSError:
        return []
    events = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            events.append(in_new_words(event))
    return events


def read_config(folder: Path) -> dict[str, Any]:
    """Read a run's config; empty if there is none that can be read."""
    try:
        config = json.loads((folder / CONFIG_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def running_in(folder: Path) -> bool:
    """Whether a child of this or another window works in a run folder."""
    return child_lives(folder)


def look_at(folder: Path) -> PastRun | None:
    """Describe a run folder; None if it is none."""
    config = read_config(folder)
    if not config:
        return None
    events = read_events(folder)
    state = _state(folder, events)
    steps = [event for event in events if event["event"] == "step"]
    last = steps[-1] if steps else {}
    newest = folder / (EVENTS_NAME if (folder / EVENTS_NAME).exists() else CONFIG_NAME)
    return PastRun(
        folder,
        str(config.get("name", folder.name)),
        str(config.get("model", "")),
        state,
        int(last.get("step", 0)),
        int(last.get("steps") or 0),
        newest.stat().st_mtime,
        state in ("cancelled", "lost", "failed") and (folder / STATE_NAME).is_file(),
        (folder / DECISION_NAME).is_file(),
        any(event.get("unchanged") for event in events if event["event"] == "compared"),
    )


def run_folders() -> list[Path]:
    """Return all run folders; by their names, the newest is the first."""
    root = runs_dir()
    found = root.iterdir() if root.is_dir() else ()
    return sorted((one for one in found if one.is_dir()), reverse=True)


def is_empty(folder: Path) -> bool:
    """Whether nothing can become of a run: it ended before it saved anything."""
    kept = (STATE_NAME, MODEL_NAME, DECISION_NAME)
    return not running_in(folder) and not any((folder / one).exists() for one in kept)


def list_past_runs() -> list[PastRun]:
    """List all runs, the newest first."""
    return _described(run_folders())


def waiting_runs() -> list[PastRun]:
    """List runs that wait for a person: to be resumed, or to be decided on."""
    # Reading the events of runs that are over long since would take a second.
    undecided = [one for one in run_folders() if not (one / DECISION_NAME).is_file()]
    left = [
        one
        for one in undecided
        if (one / STATE_NAME).exists() or (one / MODEL_NAME).exists()
    ]
    return [run for run in _described(left) if run.waits]


def _described(folders: list[Path]) -> list[PastRun]:
    runs = [run for run in map(look_at, folders) if run is not None]
    return sorted(runs, key=lambda run: -run.when)


def decide(folder: Path, adopted: Path) -> None:
    """Write down that a run's model was adopted, and drop what only training needs."""
    with writing(folder / DECISION_NAME) as draft:
        draft.write_text(json.dumps({"adopted": str(adopted)}), "utf-8")
    for name in (STATE_NAME, BEST_NAME, ERRORS_NAME):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / MODEL_NAME, ignore_errors=True)


def adopted_as(folder: Path) -> Path | None:
    """Return the model folder that a run became."""
    try:
        return Path(json.loads((folder / DECISION_NAME).read_text("utf-8"))["adopted"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def crops_for(model: str) -> list[str]:
    """Return the folders of stored crops that a model was trained with.

    Going on from a model replays them, so that it does not forget what it learnt.
    """
    folders: list[str] = []
    for folder in run_folders():
        if str(adopted_as(folder)) != model:
            continue
        earlier = [str(one) for one in read_config(folder).get("replay", [])]
        own = str(folder / CROPS)
        folders += [one for one in (own, *earlier) if Path(one).is_dir()]
    return list(dict.fromkeys(folders))


def unfinished_from(model: Path) -> str | None:
    """Return the name of an unfinished run that starts from a model folder, if any.

    Its comparison at the end looks at the old model too.
    """
    for folder in run_folders():
        base = read_config(folder).get("model", "")
        if not base or Path(str(base)) != model or (folder / DECISION_NAME).is_file():
            continue
        run = look_at(folder)
        if run is not None and (run.state == "running" or run.resumable):
            return run.name
    return None


def discard(folder: Path) -> None:
    """Throw a run folder away.

    Raises
    ------
    StorageError
        If it cannot be removed, or a child still works in it.
    """
    if running_in(folder):
        raise StorageError(
            f"The training in {folder.name!r} still runs; cancel it before it is "
            "thrown away."
        )
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(
            f"{folder} could not be removed: {error.strerror or error}. Close programs "
            "that use it, or remove it by hand."
        ) from error


def _state(folder: Path, events: list[dict[str, Any]]) -> str:
    if running_in(folder):
        return "running"
    for event in reversed(events):
        if event["event"] in ("done", "failed"):
            return str(event["event"])
        if event["event"] == "stopping" and event.get("reason") == "cancel":
            return "cancelled"
        if event["event"] in ("step", "score", "plan"):
            break
    return "lost"
