"""Kinds of values that options take: files, places, ranges, channels."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan
from pathlib import Path
from typing import Any

import click

#: A file that exists.
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
#: An image: a file, or the folder that an OME-Zarr is.
PICTURE = click.Path(exists=True, path_type=Path)
#: A file to be written.
TARGET = click.Path(dir_okay=False, path_type=Path)


class TwoNumbers(click.ParamType):
    """``A,B``: two numbers, fractions allowed.

    Parameters
    ----------
    names
        What they are, in capitals: ``"ROW,COLUMN"``.
    example
        Two good ones.
    rule
        What they must be besides, in words.
    good
        Says whether they are that; must refuse NaN, which words are read as.
    """

    def __init__(
        self, names: str, example: str, rule: str, good: Callable[[float, float], bool]
    ) -> None:
        self.name = names.lower()
        self._names, self._example, self._rule = names, example, rule
        self._good = good

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Read the two numbers."""
        if isinstance(value, tuple):
            return value
        try:
            first, second = (float(part) for part in value.split(","))
        except ValueError:
            first = second = nan
        if not self._good(first, second):
            self.fail(
                f"{value!r} must be two numbers, {self._names}, such as "
                f"{self._example} ({self._rule}).",
                param,
                ctx,
            )
        return first, second


#: A place in pixels.
ROW_COLUMN = TwoNumbers(
    "ROW,COLUMN",
    "120,85",
    "row 0 is the top, column 0 the left",
    lambda row, column: isfinite(row) and isfinite(column),
)
#: The smallest and the largest of something.
SIZES = TwoNumbers(
    "SMALLEST,LARGEST",
    "12,40",
    "the first 0 or more, and no larger than the second",
    lambda smallest, largest: 0 <= smallest <= largest,
)
#: Two percentiles.
CONTRAST = TwoNumbers(
    "LOW,HIGH",
    "0.1,99.9",
    "percentiles from 0 to 100, the first below the second",
    lambda low, high: 0 <= low < high <= 100,
)


class Indices(click.ParamType):
    """``3`` or ``0,12``: a place on each axis before the last two."""

    name = "index"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read the whole numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(
                f"{value!r} must be whole numbers, such as 3 or 0,12.", param, ctx
            )


class Channels(click.ParamType):
    """``2,0,-``: the channels that give red, green and blue."""

    name = "channels"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, ...]:
        """Read three whole numbers or dashes."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        good = all(part in ("-", "") or part.isdecimal() for part in parts)
        if len(parts) != 3 or not good or not any(part.isdecimal() for part in parts):
            self.fail(
                f"{value!r} must be three channels, such as 2,0,1 or 0,1,- (- leaves "
                "a color black).",
                param,
                ctx,
            )
        return tuple(int(part) if part.isdecimal() else None for part in parts)
