"""Remove temporary files of interrupted runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from napari_gen2seg.common.user_dirs import data_dir
from napari_gen2seg.jobs.training.past_runs import (
    adopted_as,
    is_empty,
    read_config,
    run_folders,
)

DRAFTS = (".planning-*", ".adopting-*", ".removing-*")
OLD = 24 * 3600.0  # seconds: nobody works in it any more, on whatever computer


def remove_interrupted_runs(check: Callable[[], None]) -> list[Path]:
    """Delete drafts, and run folders that never saved anything, after a day.

    Each holds a copy of pictures, or of a model, that nothing would ever read again.

    Parameters
    ----------
    check
        Called between folders; raises to stop.

    Returns
    -------
    list of Path
        What was deleted.
    """
    drafts = [one for kind in DRAFTS for one in data_dir().glob(kind)]
    gone = []
    for folder in (*drafts, *run_folders()):
        check()
        if time.time() - _touched(folder) > OLD and is_empty(folder):
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone


def drop_runs_without_models() -> list[Path]:
    """Delete the runs whose models were removed, and return their folders.

    Those stay whose crops are still replayed, against forgetting, for another model.
    """
    runs = {folder: adopted_as(folder) for folder in run_folders()}
    kept = [one for one, model in runs.items() if model is None or model.is_dir()]
    replayed = {
        Path(str(crops)).parent
        for folder in kept
        for crops in read_config(folder).get("replay", [])
    }
    gone = [one for one in runs if one not in kept and one not in replayed]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone


def _touched(folder: Path) -> float:
    """Return when something in a folder last changed, in seconds since the epoch."""
    return max(one.stat().st_mtime for one in (folder, *folder.iterdir()))
