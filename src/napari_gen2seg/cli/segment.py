"""``segment``: clicks on an image -> labels in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from napari_gen2seg.cli.inputs import check_colorable, load, read_plane, resolution_from
from napari_gen2seg.cli.options import (
    ModelOptions,
    ProposalOptions,
    diameter_option,
    model_options,
    plane_options,
    probe_option,
    proposal_options,
    recipe_options,
    tile_options,
)
from napari_gen2seg.cli.outputs import (
    check_free,
    overwrite_option,
    rows_by_columns,
    write_coloring,
)
from napari_gen2seg.cli.param_types import PICTURE, ROW_COLUMN, TARGET
from napari_gen2seg.cli.say import say
from napari_gen2seg.common.text import count_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.workflows.segment import Click, ObjectFound

Point = tuple[float, float]


@click.command()
@click.argument("picture", type=PICTURE)
@click.option(
    "--point",
    "points",
    type=ROW_COLUMN,
    multiple=True,
    metavar="R,C",
    help="A pixel of the object: row (from the top), column (from the left). "
    "May be given several times.",
)
@click.option(
    "--not",
    "nots",
    type=ROW_COLUMN,
    multiple=True,
    metavar="R,C",
    help="A pixel that is not of the object. May be given several times.",
)
@click.option(
    "--each",
    is_flag=True,
    help="Every --point is an object of its own, labeled 1, 2, 3, ...",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="No clicks: propose all objects.",
)
@proposal_options("With --all: ")
@tile_options
@click.option(
    "-o",
    "--output",
    type=TARGET,
    help="Where to write the labels, .tif or .png. "
    "[default: PICTURE-labels.tif beside the picture]",
)
@click.option(
    "--coloring", type=TARGET, help="Also write the coloring map, as `color` does."
)
@click.option(
    "--rule",
    type=click.Choice(["distance", "paper"]),
    default="distance",
    show_default=True,
    help="How clicks become masks: ours, or the published one.",
)
@probe_option
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 442),
    help="How far a color may be off, 0 to 441; by default chosen from the map.",
)
@click.option(
    "--insist",
    is_flag=True,
    help="Let a further --point make the object more than four times as large.",
)
@click.option("--everywhere", is_flag=True, help="Also parts that do not touch.")
@click.option(
    "--map-alone",
    is_flag=True,
    help="Do not consult the picture's brightness, even where it agrees with the map.",
)
@overwrite_option
@model_options
@diameter_option
@plane_options
@recipe_options
def segment(
    picture: Path,
    points: Sequence[Point],
    nots: Sequence[Point],
    each: bool,
    everything: bool,
    wanted: ProposalOptions,
    tile: int | None,
    overlap: int | None,
    output: Path | None,
    coloring: Path | None,
    rule: str,
    method: str | None,
    tolerance: float | None,
    insist: bool,
    everywhere: bool,
    map_alone: bool,
    overwrite: bool,
    chosen: ModelOptions,
    diameter: float | None,
    plane: tuple[int, ...] | None,
    axes: str | None,
    series: int | None,
    recipe: RgbRecipe | None,
) -> None:
    """Find objects in PICTURE: those under the given points, or all of them (--all)."""
    if everything == bool(points):
        raise click.UsageError(
            "Give either --point R,C (once or several times) or --all."
        )
    if nots and not points:
        raise click.UsageError("--not R,C needs a --point R,C of the same object.")
    idle = {
        "--tolerance": tolerance is not None,
        "--insist": insist,
        "--everywhere": everywhere,
        "--map-alone": map_alone,
    }
    proposing = {
        "--min-certainty": wanted.min_certainty is not None,
        "--size": bool(wanted.sizes),
        "--tile": tile is not None,
        "--overlap": overlap is not None,
    }
    if everything:
        _refuse("--all", {**idle, "--rule": rule == "paper", "--each": each})
    else:
        _refuse("--point", proposing)
    if rule == "paper":
        _refuse("--rule paper", {**idle, "--not": bool(nots), "--probe": bool(method)})
    if method == "learned":
        _refuse("--probe learned", {"--everywhere": everywhere})

    from napari_gen2seg.core.probe.prober import ProbeSettings
    from napari_gen2seg.io.formats.writers import check_ending, write_labels
    from napari_gen2seg.workflows import segment as workflow
    from napari_gen2seg.workflows.tiled import LookSettings

    target = output or picture.with_name(f"{picture.stem}-labels.tif")
    for path in filter(None, (target, coloring)):
        check_ending(path)
    check_free([target, coloring], overwrite, picture)
    pixels = read_plane(picture, axes, plane, series, recipe)
    shape = pixels.shape[:2]
    tiled = everything and LookSettings(tile=tile).in_tiles(shape)
    if tiled and coloring is not None:
        raise click.UsageError(
            f"{picture.name} has {rows_by_columns(shape)} and is looked at in tiles, "
            "each with a map of its own. Leave --coloring out, or look at it as a "
            "whole: --tile 0."
        )
    check_colorable(picture, pixels, clicked=not everything, tiled=tiled)
    settings = ProbeSettings(
        rule="paper" if rule == "paper" else "distance",
        tolerance=tolerance,
        contiguous=not everywhere,
        brightness=not map_alone,
    )
    clicks = None if everything else _clicks(points, nots, each, shape, insist)
    colorer = load(chosen)
    events = workflow.iter_segment(
        pixels,
        colorer,
        "YX" if pixels.ndim == 2 else "YXC",
        clicks,
        settings=settings,
        method=method,
        proposals=wanted.settings(diameter),
        resolution=(
            chosen.resolution
            if tiled
            else resolution_from(chosen.resolution, diameter, shape, colorer)
        ),
        passes=chosen.passes,
        tile=tile,
        overlap=overlap,
    )
    for event in events:
        if isinstance(event, workflow.PlaneColored) and coloring is not None:
            write_coloring(coloring, event.coloring)
            say(f"{coloring}: the coloring map")
        elif isinstance(event, workflow.PlaneTiled) and not event.done:
            say(f"{picture.name}: {event.text}", err=True)
        elif isinstance(event, workflow.ObjectFound):
            say(_sentence(event))
        elif isinstance(event, workflow.Finished):
            write_labels(target, event.labels)
            found = f", {_objects(event.labels)}" if everything else ""
            say(f"{target}: labels, {rows_by_columns(shape)}{found}")


def _objects(labels: NDArray[np.int32]) -> str:
    """Say how many objects there are."""
    import numpy as np

    count = int(np.count_nonzero(np.bincount(labels.ravel())[1:]))
    return count_text(count, "object")


def _refuse(chosen: str, idle: dict[str, bool]) -> None:
    """Refuse options that would change nothing."""
    for option, given in idle.items():
        if given:
            raise click.UsageError(f"{chosen} makes no use of {option}; leave it out.")


def _clicks(
    points: Sequence[Point],
    nots: Sequence[Point],
    each: bool,
    shape: tuple[int, ...],
    insist: bool,
) -> list[Click]:
    """Turn the options into clicks, all of one object or one object each."""
    from napari_gen2seg.errors import PromptError
    from napari_gen2seg.workflows.segment import Click

    for row, column in (*points, *nots):
        if not (-0.5 <= row < shape[0] - 0.5 and -0.5 <= column < shape[1] - 0.5):
            raise PromptError(
                f"The point {row:g},{column:g} is outside the picture, which has "
                f"{shape[0]} rows and {shape[1]} columns; points are ROW,COLUMN, "
                f"0,0 to {shape[0] - 1},{shape[1] - 1}."
            )
    numbers = range(1, len(points) + 1) if each else [1] * len(points)
    clicks = [
        Click(row, column, 1, number, insisted=insist)
        for (row, column), number in zip(points, numbers, strict=True)
    ]
    for number in sorted(set(numbers)):
        clicks += [Click(row, column, -1, number) for row, column in nots]
    return clicks


def _sentence(event: ObjectFound) -> str:
    """Say what one object's clicks gave."""
    said = (
        f"object {event.label}: {event.pixels} pixels, score {event.mask.score:.2f}, "
        f"tolerance {event.mask.tolerance:.0f}, {event.mask.method} probe"
    )
    mask: Mask | None = event.mask
    while mask is not None:
        if mask.refused > 0:
            said += (
                f"; a point would make it {mask.refused:.0f} times as large and added "
                "a small piece only (--insist takes all)"
            )
            break
        mask = mask.before
    if not event.background:
        return said
    points = " ".join(f"{row:g},{column:g}" for row, column in event.background)
    begin = f"points {points} lie" if " " in points else f"point {points} lies"
    return f"{said}; the {begin} on what the model takes for background"
