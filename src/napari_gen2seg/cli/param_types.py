"""Kinds of values that options take: files, places, ranges, channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

#: A file that exists.
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
#: An image: a file, or the folder that an OME-Zarr is.
PICTURE = click.Path(exists=True, path_type=Path)
#: A file to be written.
TARGET = click.Path(dir_okay=False, path_type=Path)


class RowColumn(click.ParamType):
    """``ROW,COLUMN`` in pixels, fractions allowed."""

    name = "row,column"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Read the two numbers."""
        if isinstance(value, tuple):
            return value
        try:
            row, column = (float(part) for part in value.split(","))
        except ValueError:
            self.fail(
                f"{value!r} must be two numbers, ROW,COLUMN, such as 120,85 "
                "(row 0 is the top, column 0 the left).",
                param,
                ctx,
            )
        return row, column


class Sizes(click.ParamType):
    """``A,B``: the smallest and the largest of something."""

    name = "smallest,largest"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Read the two numbers."""
        if isinstance(value, tuple):
            return value
        try:
            smallest, largest = (float(part) for part in value.split(","))
        except ValueError:
            smallest, largest = 1.0, 0.0
        if not 0 <= smallest <= largest:
            self.fail(
                f"{value!r} must be two numbers, SMALLEST,LARGEST, such as 12,40; the "
                "first must be 0 or more, and no larger than the second.",
                param,
                ctx,
            )
        return smallest, largest


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
