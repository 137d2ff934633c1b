"""``color``: the colouring map of a picture, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from napari_gen2seg.cli.options import (
    PICTURE,
    TARGET,
    ModelOptions,
    diameter_option,
    load,
    model_options,
    plane_options,
    read_plane,
    resolution_from,
)


@click.command()
@click.argument("picture", type=PICTURE)
@click.option(
    "-o",
    "--output",
    type=TARGET,
    help="Where to write: .tif keeps the exact map, .png is to look at. "
    "[default: PICTURE-coloring.tif beside the picture]",
)
@model_options
@diameter_option
@plane_options
def color(
    picture: Path,
    output: Path | None,
    chosen: ModelOptions,
    diameter: float | None,
    plane: tuple[int, ...] | None,
    axes: str | None,
) -> None:
    """Paint every object of PICTURE in a colour of its own."""
    from napari_gen2seg.core.rgb import to_rgb
    from napari_gen2seg.io.images import TIFF_ENDINGS, check_ending, write_rgb

    target = output or picture.with_name(f"{picture.stem}-coloring.tif")
    check_ending(target)
    pixels = to_rgb(read_plane(picture, axes, plane))
    colorer = load(chosen)
    wanted = resolution_from(chosen.resolution, diameter, pixels.shape, colorer)
    coloring = colorer.color(pixels, wanted)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() in TIFF_ENDINGS:
        coloring.save(target)
    else:
        write_rgb(target, coloring.as_rgb8())
    height, width = coloring.shape
    click.echo(f"{target}: {width} x {height} pixels, key {coloring.key[:12]}")
