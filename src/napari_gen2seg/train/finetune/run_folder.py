"""The run folder while it trains: what an earlier run left, and what is asked there."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Literal

from napari_gen2seg.errors import Cancelled
from napari_gen2seg.models.hooks import Cancel, check_cancel
from napari_gen2seg.train.finetune.state import BEST_NAME, STATE_NAME

STOP_NAME, CANCEL_NAME = "STOP", "CANCEL"
PREVIEWS, CROPS = "previews", "crops"


def clear(folder: Path) -> None:
    """Remove what an earlier run of the same folder left, its settings aside."""
    for name in (STATE_NAME, BEST_NAME, STOP_NAME, CANCEL_NAME, "events.jsonl"):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)
    for name in (PREVIEWS, CROPS, "compare"):
        shutil.rmtree(folder / name, ignore_errors=True)


def asked(folder: Path, cancel: Cancel | None) -> Literal["stop", "cancel"] | None:
    """Return what somebody has asked for, by a file or by ``cancel``."""
    try:
        check_cancel(cancel)
    except Cancelled:
        return "cancel"
    if (folder / CANCEL_NAME).exists():
        return "cancel"
    return "stop" if (folder / STOP_NAME).exists() else None


def answered(folder: Path) -> None:
    """Take away what was asked by a file, now that it is done."""
    for name in (STOP_NAME, CANCEL_NAME):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)
