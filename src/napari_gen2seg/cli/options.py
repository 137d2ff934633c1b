"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from napari_gen2seg.cli.say import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.colorer import Colorer

F = TypeVar("F", bound=Callable[..., Any])

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
                f"{value!r} must be two numbers, SMALLEST,LARGEST, such as 12,40.",
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


@dataclass(frozen=True)
class ModelOptions:
    """What the options of a model say."""

    model: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    resolution: int | None = None
    passes: int = 1
    accept_licence: bool = False
    compiled: bool = False


_MODEL_OPTIONS = (
    click.option(
        "--model",
        default="mini",
        show_default=True,
        metavar="ID",
        help="A name that `models` lists, a folder, or OWNER/NAME of the hub.",
    ),
    click.option("--revision", metavar="REV", help="Branch, tag or commit on the hub."),
    click.option(
        "--device",
        default="auto",
        show_default=True,
        help="auto, cpu, cuda, cuda:N or mps.",
    ),
    click.option(
        "--dtype",
        default="auto",
        show_default=True,
        help="auto, float32, bfloat16 or float16.",
    ),
    click.option(
        "--resolution",
        type=click.IntRange(min=16),
        metavar="PX",
        help="Longer side at which the model works; by default its own rule.",
    ),
    click.option(
        "--passes",
        type=click.Choice(["1", "2", "4"]),
        default="1",
        show_default=True,
        callback=lambda _context, _option, value: int(value),
        help="Look at mirror images too: better masks, so many times longer.",
    ),
    click.option(
        "--accept-license",
        "--accept-licence",
        "accept_licence",
        is_flag=True,
        help="You have read the license of the weights and accept it.",
    ),
    click.option(
        "--compile",
        "compiled",
        is_flag=True,
        help="Compile the network first: pays for many pictures of one size on a GPU.",
    ),
)

_PLANE_OPTIONS = (
    click.option(
        "--plane",
        type=Indices(),
        metavar="I[,J]",
        help="Which plane of a stack: its place on each axis before the picture's own.",
    ),
    click.option(
        "--axes",
        metavar="LETTERS",
        help="The axes if the file names them wrongly, such as ZYX, CYX or TZYXC.",
    ),
    click.option(
        "--series",
        type=click.IntRange(min=0),
        metavar="N",
        help="Which picture of a file with several, from 0; by default the largest.",
    ),
)

_RECIPE_OPTIONS = (
    click.option(
        "--channels",
        type=Channels(),
        metavar="R,G,B",
        help="Which channels give red, green and blue, from 0, such as 2,0,-; - leaves "
        "a color black. [default: the first three]",
    ),
    click.option(
        "--contrast",
        type=RowColumn(),
        metavar="LOW,HIGH",
        help="Percentiles that become black and white. [default: 0.1,99.9; 8-bit color "
        "as it is]",
    ),
    click.option("--invert", is_flag=True, help="Swap bright and dark."),
    click.option(
        "--joint/--apart",
        default=None,
        help="Stretch three channels alike, as one color picture, or each by itself, "
        "as channels of a microscope. [default: as the file says]",
    ),
)


def _decorate(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a model; the command gets them as one, ``chosen``."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        own = {field.name: values.pop(field.name) for field in fields(ModelOptions)}
        return command(chosen=ModelOptions(**own), **values)

    return _decorate(_MODEL_OPTIONS)(gathered)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of channels and contrast; the command gets a ``recipe``."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        from napari_gen2seg.core.image.rgb import recipe_of

        recipe = recipe_of(**{key: values.pop(key) for key in RECIPE})
        return command(recipe=recipe, **values)

    return recipe_flags(gathered)


probe_option = click.option(
    "--probe",
    "method",
    type=click.Choice(["similarity", "learned"]),
    help="Which probe answers clicks, and draws the outlines of what is proposed. "
    "[default: learned where it was measured on the maps of the model]",
)
_TILE_OPTIONS = (
    click.option(
        "--tile",
        type=click.IntRange(min=0),
        metavar="PX",
        help="Side of what is looked at at once, for all objects; 0 looks at every "
        "image as a whole. [default: chosen, for images with more than 2048 pixels]",
    ),
    click.option(
        "--overlap",
        type=click.IntRange(min=2),
        metavar="PX",
        help="How far tiles overlap. [default: from the size of the objects]",
    ),
)
recipe_flags = _decorate(_RECIPE_OPTIONS)
RECIPE = ("channels", "contrast", "invert", "joint")
plane_options = _decorate(_PLANE_OPTIONS)
tile_options = _decorate(_TILE_OPTIONS)


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


_BYTES_A_PIXEL = 30  # of memory, measured: what coloring and a click take


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
    from napari_gen2seg.core.image.rgb import is_constant
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


diameter_option = click.option(
    "--diameter",
    type=float,
    metavar="PX",
    help="Diameter of a typical object in pixels of the picture: chooses the "
    "resolution, where the model's own rule misjudges it, and the size of proposals.",
)


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
