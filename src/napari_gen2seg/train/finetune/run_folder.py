"""The run folder: what an earlier run left, and what is asked there (no torch)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.errors import Cancelled, SettingsError, StorageError

# The names in a run folder are spelled here alone: a run is resumed by them.
CONFIG_NAME, EVENTS_NAME, LEARNT_NAME = "config.json", "events.jsonl", "learnt.json"
STATE_NAME, BEST_NAME, MODEL_NAME = "state.pt", "best.safetensors", "model"
PREVIEWS, CROPS, COMPARE, REPORT_NAME = "previews", "crops", "compare", "report.json"
STOP_NAME, CANCEL_NAME = "STOP", "CANCEL"
# What whoever starts the training process keeps beside them.
ERRORS_NAME, DECISION_NAME = "errors.txt", "decision.json"
CHILD_NAME, DATA = "child.json", "data"


def begun_before(folder: Path) -> bool:
    """Tell whether a folder holds something that an earlier run learnt."""
    names = (STATE_NAME, BEST_NAME, MODEL_NAME, CROPS)
    return any((folder / name).exists() for name in names)


def check_begin(folder: Path, resume: bool, overwrite: bool) -> None:
    """Refuse to lose an earlier run, or anybody's files of the same names.

    Raises
    ------
    StorageError
        If there is one, which is neither gone on with nor to be overwritten; or if
        files of such names are no run's.
    SettingsError
        If both are asked for.
    """
    if resume and overwrite:
        raise SettingsError(
            "A run is either resumed or overwritten, not both. Leave one out."
        )
    _check_own(folder)
    if overwrite or not begun_before(folder):
        return
    if not (folder / STATE_NAME).is_file():
        raise StorageError(
            f"{folder} holds an earlier run, without a state to go on from. Choose "
            "another folder; or replace that run: --overwrite, or overwrite=True. "
            "Nothing was done."
        )
    if not resume:
        raise StorageError(
            f"{folder} holds an earlier run. Go on with it: --resume, or resume=True; "
            "choose another folder; or replace it: --overwrite, or overwrite=True. "
            "Nothing was done."
        )


def _check_own(folder: Path) -> None:
    """Refuse a folder where a run would replace what no run has written."""
    names = (CONFIG_NAME, EVENTS_NAME, LEARNT_NAME, PREVIEWS, CROPS, COMPARE)
    there = [name for name in names if (folder / name).exists()]
    if not there or any((folder / name).exists() for name in (STATE_NAME, BEST_NAME)):
        return
    try:
        told = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    if not (isinstance(told, dict) and "pairs" in told):
        raise StorageError(
            f"{folder} holds {', '.join(there)}, and no settings of a fine-tuning, so "
            "these are somebody's own files, which a run would replace. Choose another "
            "folder; nothing was done."
        )


def clear(folder: Path) -> None:
    """Remove what an earlier run learnt and told; its model stays until the next."""
    for name in (STATE_NAME, BEST_NAME, LEARNT_NAME, EVENTS_NAME):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)
    for name in (PREVIEWS, CROPS, COMPARE):
        shutil.rmtree(folder / name, ignore_errors=True)


def listening(folder: Path, cancel: Cancel | None) -> Callable[[], bool]:
    """Return what is true when ``cancel``, or a file, says so."""

    def said() -> bool:
        if (folder / CANCEL_NAME).exists():
            return True
        if cancel is None:
            return False
        return cancel() if callable(cancel) else cancel.is_set()

    return said


def asked(folder: Path, cancel: Cancel | None) -> Literal["stop", "cancel"] | None:
    """Return what somebody has asked for, by a file or by ``cancel``."""
    try:
        check_cancel(listening(folder, cancel))
    except Cancelled:
        return "cancel"
    return "stop" if (folder / STOP_NAME).exists() else None


def answered(folder: Path) -> None:
    """Take away what was asked by a file, now that it is done."""
    for name in (STOP_NAME, CANCEL_NAME):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def forget(folder: Path, resume: bool) -> None:
    """Take away what was asked of an earlier process; a resumed run may stop at once.

    Whoever starts a process may ask it to end before it has come this far.
    """
    import psutil

    since = psutil.Process(os.getpid()).create_time()
    for name in (CANCEL_NAME,) if resume else (CANCEL_NAME, STOP_NAME):
        with suppress(OSError):
            if (folder / name).stat().st_mtime < since:
                (folder / name).unlink()
