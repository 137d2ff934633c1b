"""Options that several commands share; what becomes of them: `inputs`, `outputs`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from napari_gen2seg.cli.param_types import CONTRAST, SIZES, Channels, Indices

if TYPE_CHECKING:
    from napari_gen2seg.core.proposal_settings import ProposalSettings

F = TypeVar("F", bound=Callable[..., Any])


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


@dataclass(frozen=True)
class ProposalOptions:
    """What the options say of the objects that are proposed."""

    min_certainty: float | None = None
    sizes: tuple[float, float] | None = None

    def settings(self, diameter: float | None) -> ProposalSettings:
        """Return them as settings, for objects of about a diameter in pixels."""
        from napari_gen2seg.core.proposal_settings import ProposalSettings

        return ProposalSettings(
            diameter=diameter, min_score=self.min_certainty, sizes=self.sizes
        )


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
        type=CONTRAST,
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


def _gather(
    name: str, kind: type[Any], options: Sequence[Callable[[Any], Any]]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add options that the command gets as one dataclass, under a name."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def gathered(**values: Any) -> Any:
            own = {field.name: values.pop(field.name) for field in fields(kind)}
            return command(**{name: kind(**own)}, **values)

        return _decorate(options)(gathered)

    return add


def proposal_options(
    when: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of proposals; the command gets them as one, ``wanted``.

    Parameters
    ----------
    when
        Said before what they do, such as "With --all: ".
    """
    only = "only" if when else "Only"
    return _gather(
        "wanted",
        ProposalOptions,
        (
            click.option(
                "--min-certainty",
                type=click.FloatRange(0, 1),
                metavar="C",
                help=f"{when}{only} objects at least this certain, 0 to 1.",
            ),
            click.option(
                "--size",
                "sizes",
                type=SIZES,
                metavar="A,B",
                help=f"{when}{only} objects whose diameter lies between A and B "
                "pixels.",
            ),
        ),
    )


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
diameter_option = click.option(
    "--diameter",
    type=float,
    metavar="PX",
    help="Diameter of a typical object in pixels of the picture: chooses the "
    "resolution, where the model's own rule misjudges it, and the size of proposals.",
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
#: Adds the options of a model; the command gets them as one, ``chosen``.
model_options = _gather("chosen", ModelOptions, _MODEL_OPTIONS)
plane_options = _decorate(_PLANE_OPTIONS)
tile_options = _decorate(_TILE_OPTIONS)
