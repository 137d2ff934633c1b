"""``color``: the coloring map of an image, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from napari_gen2seg.cli.inputs import check_colorable, load, read_plane, resolution_from
from napari_gen2seg.cli.options import (
    ModelOptions,
    diameter_option,
    model_options,
    plane_options,
    recipe_options,
)
from napari_gen2seg.cli.outputs import (
    check_free,
    overwrite_option,
    rows_by_columns,
    write_coloring,
)
from napari_gen2seg.cli.param_types import PICTURE, TARGET
from napari_gen2seg.cli.say import say

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.image.rgb import RgbRecipe


@click.command()
@click.argument("picture", type=PICTURE)
@click.option(
    "-o",
    "--output",
    type=TARGET,
    help="Where to write: .tif keeps the exact map, .png is to look at. "
    "[default: PICTURE-coloring.tif beside the picture]",
)
@overwrite_option
@model_options
@diameter_option
@plane_options
@recipe_options
def color(
    picture: Path,
    output: Path | None,
    overwrite: bool,
    chosen: ModelOptions,
    diameter: float | None,
    plane: tuple[int, ...] | None,
    axes: str | None,
    series: int | None,
    recipe: RgbRecipe | None,
) -> None:
    """Paint every object of PICTURE in a color of its own."""
    from napari_gen2seg.core.image.rgb import to_rgb
    from napari_gen2seg.io.formats.writers import check_ending

    target = output or picture.with_name(f"{picture.stem}-coloring.tif")
    check_ending(target)
    check_free([target], overwrite, picture)
    pixels = to_rgb(read_plane(picture, axes, plane, series, recipe))
    check_colorable(picture, pixels)
    colorer = load(chosen)
    wanted = resolution_from(chosen.resolution, diameter, pixels.shape, colorer)
    coloring = colorer.color(pixels, wanted, passes=chosen.passes)
    write_coloring(target, coloring)
    say(f"{target}: coloring map of {_size(coloring)}")


def _size(coloring: Coloring) -> str:
    """Say how large the map is, and why it has not the size of the image."""
    own, source = coloring.shape, coloring.source_shape
    said = rows_by_columns(own)
    if own == source:
        return said
    how = "enlarged" if max(own) > max(source) else "reduced"
    return f"{said} (the model looked at the picture, {rows_by_columns(source)}, {how})"
