"""Numbers and names as text for people: durations, sizes, counts, lists, file names."""

from __future__ import annotations

import re
from collections.abc import Sequence


def duration_text(seconds: float, tenths: bool = False) -> str:
    """Write a time: ``8 s``, ``1 min 57 s``, ``40 min``, ``1 h 20 min``.

    Parameters
    ----------
    seconds
        The time; below 0 counts as 0.
    tenths
        Below ten seconds, tell tenths: ``0.8 s``.
    """
    if tenths and seconds < 9.5:
        return f"{max(seconds, 0):.1f} s"
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        rest = f" {whole % 60} s" if whole % 60 else ""
        return f"{whole // 60} min{rest}"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def bytes_text(count: float) -> str:
    """Write a number of bytes: ``340 MB``, ``1.7 GB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def count_text(count: int, noun: str) -> str:
    """Write how many: ``1 object``, ``1,200 objects``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def names_text(names: Sequence[str], most: int = 3) -> str:
    """List names, the first few of many: ``a, b, c and 4 more``."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown


def slug(name: str) -> str:
    """Make a name that every file system takes; at most 60 characters, never empty."""
    plain = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")
    return plain[:60] or "model"
