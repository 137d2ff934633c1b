"""What the options name is read and checked: a plane of a file, a model, a size."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from napari_gen2seg.cli.say import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_gen2seg.cli.options import ModelOptions
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.colorer import Colorer

_BYTES_A_PIXEL = 30  # of memory, measured: what coloring and a click take


def read_plane(
    picture: Path,
    axes: str | None,
    plane: tuple[int, ...] | None,
    series: int | None = None,
    recipe: RgbRecipe | None = None,
) -> NDArray[Any]:
    """Read the one plane of a file that the options name, as it is to be looked at.

    Returns
    -------
    numpy.ndarray
        (H, W) or (H, W, C); see `io.formats.images.ImageFile.plane`.

    Raises
    ------
    ImageError, PromptError, StorageError
        If it cannot be read, or the file has several planes and none is named.
    """
    from napari_gen2seg.core.image.axes import Axes
    from napari_gen2seg.errors import PromptError
    from napari_gen2seg.io.formats.images import read_picture

    content = read_picture(picture, series)
    for note in content.notes:
        say(note, err=True)
    layout = Axes.of(content.pixels, axes or content.axes)
    if plane is None and layout.several:
        raise PromptError(
            f"{picture.name} holds {layout.several}; say which one with --plane, "
            f"such as --plane {','.join('0' * len(layout.planes))}."
        )
    return content.plane(plane, axes, recipe)


def check_colorable(
    picture: Path,
    pixels: NDArray[Any],
    *,
    clicked: bool = False,
    tiled: bool = False,
) -> None:
    """Refuse a plane that is too large, and say where there is nothing to see.

    Parameters
    ----------
    clicked
        Whether somebody clicks in it: then each click is answered, with a word where it
        is on background.
    tiled
        Whether it is looked at in tiles: then only they must fit into memory.

    Raises
    ------
    MemoryShortError
        If it would not fit into memory.
    """
    from napari_gen2seg.core.image.checks import is_constant
    from napari_gen2seg.io.formats.guard import check_fits

    if not tiled:
        check_fits(picture, pixels.shape[0] * pixels.shape[1] * _BYTES_A_PIXEL)
    if clicked:
        return
    flat = pixels if pixels.ndim == 2 else pixels.reshape(-1, pixels.shape[-1])
    if is_constant(pixels) or (pixels.ndim == 3 and (flat == flat[0]).all()):
        say(
            f"{picture.name} holds a single value on all of its {pixels.shape[0]} x "
            f"{pixels.shape[1]} pixels: there is nothing to color. Choose another "
            "picture, plane or channel.",
            err=True,
        )


def load(chosen: ModelOptions) -> Colorer:
    """Load a model as the options say, telling what happens on stderr."""
    from napari_gen2seg.models.loader import load_model

    terminal = sys.stderr.isatty()

    def progress(fraction: float | None, text: str) -> None:
        if terminal and fraction != 1:
            share = "" if fraction is None else f"{fraction:4.0%} "
            say(f"\r\033[K{share}{text}"[:200], nl=False, err=True)

    colorer = load_model(
        chosen.model,
        device=chosen.device,
        dtype=chosen.dtype,
        revision=chosen.revision,
        progress=progress,
        accept_licence=chosen.accept_licence,
        compiled=chosen.compiled,
    )
    clear = "\r\033[K" if terminal else ""
    say(f"{clear}{colorer.spec.title}. {colorer.reason}", err=True)
    return colorer


def resolution_from(
    resolution: int | None, diameter: float | None, shape: tuple[int, ...], model: Any
) -> int | None:
    """Return the resolution that --resolution or --diameter asks for, or None."""
    if diameter is None:
        return resolution
    if resolution is not None:
        raise click.UsageError("Give either --resolution or --diameter.")
    from napari_gen2seg.models.runtime.resolution import resolution_for_objects

    return resolution_for_objects(diameter, shape, model.config)
