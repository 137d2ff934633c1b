"""Clicks on the planes of an array, sorted by plane and object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_gen2seg.common.arguments import check_fields, told
from napari_gen2seg.core.image.axes import Axes, Index
from napari_gen2seg.errors import PromptError


@dataclass(frozen=True)
class Click:
    """One click.

    Parameters
    ----------
    row, column
        Where, in pixels of the plane; fractions are allowed.
    sign
        +1 keeps what is there, -1 leaves it out.
    object
        Clicks with the same number make one object; it becomes its label.
    plane
        Place on each axis of the array before rows and columns; empty for a single
        picture.
    insisted
        Whether the mask may grow by this click as it likes; else fourfold at most.
    """

    row: float
    column: float
    sign: int = 1
    object: int = 1
    plane: Index = ()
    insisted: bool = False

    def __post_init__(self) -> None:
        check_fields(self, PromptError)


def by_plane(
    clicks: Sequence[Click | tuple[float, float]], layout: Axes
) -> dict[Index, dict[int, list[Click]]]:
    """Sort the clicks by plane and object.

    Raises
    ------
    PromptError
        If one belongs nowhere.
    """
    sorted_: dict[Index, dict[int, list[Click]]] = {}
    for entry in clicks:
        click = _click(entry)
        layout.check(click.plane)
        if click.object < 1:
            raise PromptError(
                f"A click's object is {click.object}; it must be a number from 1."
            )
        sorted_.setdefault(click.plane, {}).setdefault(click.object, []).append(click)
    return dict(sorted(sorted_.items()))


def _click(entry: Click | tuple[float, float]) -> Click:
    """Return a click, also of a plain (row, column)."""
    if isinstance(entry, Click):
        return entry
    try:
        row, column = entry
    except (TypeError, ValueError) as error:
        raise PromptError(
            f"A click is {told(entry)}; it must be a Click or (row, column)."
        ) from error
    return Click(row, column)
