"""Why a training ends, agreed upon by all its processes."""

from __future__ import annotations

from pathlib import Path

from napari_gen2seg.models.hooks import Cancel
from napari_gen2seg.train.finetune.events import Why
from napari_gen2seg.train.finetune.pace import Pace
from napari_gen2seg.train.finetune.run_folder import asked
from napari_gen2seg.train.finetune.team import Team

_REASONS: tuple[Why, ...] = ("steps", "minutes", "patience", "stop", "cancel")


def agreed_reason(
    team: Team, folder: Path, cancel: Cancel | None, pace: Pace
) -> Why | None:
    """Return why to stop now, the first process's answer for all; None to go on.

    Parameters
    ----------
    team, folder, cancel, pace
        Of the run.
    """
    why: Why | None = None
    if team.main:
        why = asked(folder, cancel) or pace.over
    number = team.agree(_REASONS.index(why) if why else -1)
    return _REASONS[int(number)] if number >= 0 else None


def reason(text: str) -> Why:
    """Return the reason that a finished run has written down."""
    return next((why for why in _REASONS if why == text), "steps")
