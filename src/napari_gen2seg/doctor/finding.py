"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    subject
        What was looked at: ``"torch"``, ``"display"``.
    status
        ``"ok"``; ``"note"``, which works but could be better; or ``"problem"``.
    text
        What was found, one sentence.
    fix
        What to do, a sentence or a command; empty for ``"ok"``.
    """

    subject: str
    status: Status
    text: str
    fix: str = ""


def ok(subject: str, text: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject, "ok", text)


def note(subject: str, text: str, fix: str) -> Finding:
    """Return a finding that works but could be better."""
    return Finding(subject, "note", text, fix)


def problem(subject: str, text: str, fix: str) -> Finding:
    """Return a finding that keeps something from working."""
    return Finding(subject, "problem", text, fix)
