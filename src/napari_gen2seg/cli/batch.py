"""``batch``: all objects of many images, labels in a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from napari_gen2seg.cli.options import (
    ModelOptions,
    ProposalOptions,
    diameter_option,
    model_options,
    probe_option,
    proposal_options,
    recipe_options,
    tile_options,
)
from napari_gen2seg.cli.say import say
from napari_gen2seg.common.text import count_text, duration_text

if TYPE_CHECKING:
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.workflows.batch import BatchEvent


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="IN...")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@proposal_options()
@probe_option
@tile_options
@click.option("--axes", metavar="LETTERS", help="The axes if files name them wrongly.")
@click.option(
    "--series",
    type=click.IntRange(min=0),
    metavar="N",
    help="Which image of files with several, from 0; by default the largest.",
)
@click.option(
    "--link",
    is_flag=True,
    help="Give an object one number in all planes, through z and time.",
)
@click.option(
    "--radius",
    "link_radius",
    type=click.FloatRange(min=0),
    metavar="PX",
    help="With --link: how far objects move from plane to plane. [default: half of a "
    "typical diameter]",
)
@click.option(
    "--gaps",
    type=click.IntRange(min=0),
    default=0,
    help="With --link: in how many planes in a row an object may be missing.",
)
@click.option(
    "--divisions", is_flag=True, help="With --link: an object may become two."
)
@click.option(
    "--convex",
    is_flag=True,
    help="With --link: what shrinks to half and grows again is two, one behind the "
    "other, as nuclei in depth.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many processes of this computer do the work.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Let the workers of a dask cluster do the work.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Also replace labels that are not as a batch left them.",
)
@model_options
@diameter_option
@recipe_options
def batch(
    inputs: Sequence[str],
    out: Path,
    wanted: ProposalOptions,
    method: str | None,
    tile: int | None,
    overlap: int | None,
    axes: str | None,
    series: int | None,
    link: bool,
    link_radius: float | None,
    gaps: int,
    divisions: bool,
    convex: bool,
    workers: int,
    scheduler: str | None,
    overwrite: bool,
    chosen: ModelOptions,
    diameter: float | None,
    recipe: RgbRecipe | None,
) -> None:
    """Find all objects of the images IN; their labels go to the folder OUT.

    IN are files, folders, OME-Zarr or patterns such as 'plate*/*.tif'. Labels are TIFF,
    and OME-Zarr for OME-Zarr. What is done already is not done again.
    """
    if chosen.resolution is not None and diameter is not None:
        raise click.UsageError("Give either --resolution or --diameter.")
    if not link and (link_radius is not None or gaps or divisions or convex):
        raise click.UsageError(
            "--radius, --gaps, --divisions and --convex need --link."
        )

    from napari_gen2seg.core.linking import LinkSettings
    from napari_gen2seg.workflows import batch as workflow
    from napari_gen2seg.workflows.running.model import ModelChoice

    linking = None
    if link:
        linking = LinkSettings(link_radius, 0.1, gaps, divisions, convex)
    model = ModelChoice(
        chosen.model,
        chosen.device,
        chosen.dtype,
        chosen.revision,
        chosen.accept_licence,
        chosen.compiled,
    )
    told = _Told()
    for event in workflow.batch(
        inputs,
        out,
        model,
        axes,
        proposals=wanted.settings(diameter),
        recipe=recipe,
        resolution=chosen.resolution,
        passes=chosen.passes,
        tile=tile,
        overlap=overlap,
        method=method,
        series=series,
        link=linking,
        overwrite=overwrite,
        workers=workers,
        scheduler=scheduler,
    ):
        told.tell(event)
    told.finish()


class _Told:
    """Says what happens; at the end, which images could not be done."""

    def __init__(self) -> None:
        from napari_gen2seg.workflows.batch.tally import Tally

        self.terminal = sys.stderr.isatty()
        self.tally = Tally()
        self.failed: list[str] = []

    def tell(self, event: BatchEvent) -> None:
        """Say one event."""
        from napari_gen2seg.workflows import batch as workflow

        self.tally.tell(event)
        if isinstance(event, workflow.BatchStarted):
            say(count_text(event.count, "image"), err=True)
        elif isinstance(event, workflow.ImageProgress):
            self._progress(event.name, event.fraction, event.text)
        elif isinstance(event, workflow.ImageDone):
            self._clear()
            for note in event.notes:
                say(note, err=True)
            planes = f" in {count_text(event.planes, 'plane')}"
            say(
                f"{event.number} of {event.count}: {event.target}: "
                f"{count_text(event.objects, 'object')}"
                f"{planes if event.planes > 1 else ''}{self._left()}"
            )
        elif isinstance(event, workflow.ImageFailed):
            self.failed.append(f"{event.name}: {event.error}")
            self._clear()
            say(
                f"{event.number} of {event.count}: not done: {self.failed[-1]}",
                err=True,
            )
        elif isinstance(event, workflow.BatchDone):
            before = f", {event.skipped} before" if event.skipped else ""
            say(
                f"{count_text(event.done, 'image')} done{before}, {event.failed} "
                f"failed, in {duration_text(event.seconds)}"
            )

    def finish(self) -> None:
        """End with an error where an image could not be done."""
        if self.failed:
            from napari_gen2seg.errors import DataError

            images = count_text(self.tally.count, "image")
            raise DataError(
                f"{len(self.failed)} of {images} could not be done; the others are. "
                f"Not done: {'; '.join(self.failed)}"
            )

    def _progress(self, name: str, fraction: float, text: str) -> None:
        if not self.terminal:
            if fraction == 0 and "tiles" in text:
                say(f"{name}: {text}", err=True)
            return
        left = self._left()
        say(f"\r\033[K{name}: {fraction:4.0%} {text}{left}"[:200], nl=False, err=True)

    def _clear(self) -> None:
        if self.terminal:
            say("\r\033[K", nl=False, err=True)

    def _left(self) -> str:
        left = self.tally.left
        return f" ({left})" if left else ""
