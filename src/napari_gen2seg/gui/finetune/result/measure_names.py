"""What the result page compares, in words that need no textbook."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One row of the comparison.

    Parameters
    ----------
    text, tip
        What it is, and what that means.
    more
        Whether more is better.
    form
        How it is written.
    """

    text: str
    tip: str
    more: bool
    form: str


#: By their names in the event ``compared``.
MEASURES = {
    "one_click": Measure(
        "Overlap after one click",
        "One click in the middle of each held-back object: how well its mask covers "
        "the object that you drew. 0 is not at all, 1 exactly (intersection over "
        "union, the mean over the objects).",
        True,
        "{:.2f}",
    ),
    "off_centre": Measure(
        "… clicked off the middle",
        "The same with a click somewhere inside the object, as a hand in a hurry "
        "clicks. 0 to 1, more is better.",
        True,
        "{:.2f}",
    ),
    "ap": Measure(
        "Objects found without a click",
        "How many of the objects that you drew are found by themselves, with how few "
        "wrong ones and how exact outlines. 0 is none, 1 all of them exactly (average "
        "precision, AP, over overlaps of 0.50 to 0.95).",
        True,
        "{:.2f}",
    ),
    "clicks": Measure(
        "Clicks until a mask is good",
        "How many clicks, to keep and to leave out, until a mask overlaps its object "
        "by 0.85. Counting stops at 10, so 10 means: not reached. Fewer is better; "
        "the mean over a few of the objects.",
        False,
        "{:.1f}",
    ),
}
