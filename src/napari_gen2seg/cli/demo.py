"""``demo``: the main job on a real image, with a screen or without."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from napari_gen2seg.cli.inputs import load
from napari_gen2seg.cli.options import ModelOptions
from napari_gen2seg.cli.outputs import check_free, overwrite_option
from napari_gen2seg.cli.say import say

if TYPE_CHECKING:
    from napari_gen2seg.cli.pictures import Subject
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.session.state import Choice

FOLDER = click.Path(file_okay=False, path_type=Path)
OUTPUT = Path("demo-output")
WRITTEN = ("screenshot.png", "coloring.png", "coloring.tif", "labels.tif")


@click.command()
@click.option(
    "--picture",
    default="coins",
    show_default=True,
    metavar="NAME|FILE",
    help="coins, cell or ihc (they come with scikit-image), or a file of yours.",
)
@click.option(
    "--model",
    default="mini",
    show_default=True,
    metavar="ID",
    help="A name that `models` lists, a folder, or OWNER/NAME of the hub.",
)
@click.option("--device", default="auto", show_default=True)
@click.option(
    "--resolution",
    type=click.IntRange(min=16),
    metavar="PX",
    help="Longer side at which the model works; by default its own rule.",
)
@click.option(
    "--no-screen",
    is_flag=True,
    help="Use a virtual display even where there is a screen.",
)
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    default=OUTPUT,
    show_default=True,
    help="Without a screen: the folder to write to.",
)
@overwrite_option
def demo(
    picture: str,
    model: str,
    device: str,
    resolution: int | None,
    no_screen: bool,
    output: Path,
    overwrite: bool,
) -> None:
    """Color a real image, click a few objects, and leave the rest to you.

    With a screen, napari opens with the picture, its coloring map and a few objects
    kept, ready to go on. Without one, the same happens under a virtual display, and
    screenshot, map and labels are written.
    """
    from napari_gen2seg.cli import virtual_display
    from napari_gen2seg.cli.pictures import subject
    from napari_gen2seg.session.state import Choice

    chosen, choice = subject(picture), Choice(model, device, resolution=resolution)
    if not no_screen and _screen_works():
        _in_window(chosen, choice, None)
        return
    if not no_screen:
        say("There is no screen here: going on under a virtual display.")
    read = Path(picture) if Path(picture).is_file() else None
    # What it makes of its own picture, in its own folder, is made anew each time.
    again = overwrite or output == OUTPUT
    check_free([output / name for name in WRITTEN], again, read)
    if virtual_display.available():
        with virtual_display.virtual_display():
            _in_window(chosen, choice, output)
    else:
        say(
            "Xvfb is not installed, so there is no virtual display either and no "
            "screenshot (sudo apt-get install xvfb xauth). Going on without a window."
        )
        _without_window(chosen, choice, output)


def _screen_works() -> bool:
    """Tell whether a window can really be opened, by opening one in a child."""
    from napari_gen2seg.doctor import screen
    from napari_gen2seg.doctor.trial import attempt

    if not screen.has_display():
        return False
    outcome = attempt("canvas", timeout=60)
    if outcome.error:
        say(f"The screen cannot be used: {outcome.error}", err=True)
    return bool(outcome.facts.get("red"))


def _in_window(chosen: Subject, choice: Choice, output: Path | None) -> None:
    """Let the tour run in napari; write what it made if asked to."""
    try:
        import napari
    except ImportError as error:
        raise click.ClickException(
            "napari is not installed. Install it together with a Qt: "
            "python -m pip install 'napari-gen2seg[all]'"
        ) from error
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.tour import Tour

    tour = Tour(chosen.array, chosen.name, choice, say)
    finished = tour.run(chosen.points, chosen.last)
    if output is None:
        if finished:
            say("Over to you: move over an object, click it, press Enter.")
            napari.run()
        return
    try:
        files = tour.write(output)
    finally:
        tour.close()
    say(f"Written to {output.resolve()}:")
    for path, what in files.items():
        say(f"  {path.name:16} {what}")
    if (output / "coloring.tif") in files:
        _say_sizes(Coloring.load(output / "coloring.tif"))


def _without_window(chosen: Subject, choice: Choice, output: Path) -> None:
    """Do the same through the workflow alone."""
    from napari_gen2seg.io.formats.writers import write_labels, write_rgb
    from napari_gen2seg.workflows.segment import Click, segment

    colorer = load(ModelOptions(choice.model, device=choice.device, dtype=choice.dtype))
    clicks = [
        Click(row, column, object=number)
        for number, (row, column) in enumerate(chosen.points, 1)
    ]
    axes = "YX" if chosen.array.ndim == 2 else "YXC"
    result = segment(
        chosen.array, colorer, axes, clicks or None, resolution=choice.resolution
    )
    output.mkdir(parents=True, exist_ok=True)
    coloring = result.colorings[0].coloring
    coloring.save(output / "coloring.tif")
    write_rgb(output / "coloring.png", coloring.as_rgb8())
    write_labels(output / "labels.tif", result.labels)
    say(f"Written to {output.resolve()}: coloring.tif, coloring.png, labels.tif")
    _say_sizes(coloring)


def _say_sizes(coloring: Coloring) -> None:
    """Say why map and labels do not lie upon each other, where their sizes differ."""
    if coloring.shape == coloring.source_shape:
        return
    (height, width), (rows, columns) = coloring.shape, coloring.source_shape
    say(
        f"The map has {width} x {height} pixels, as the model saw the picture; the "
        f"labels have the picture's own {columns} x {rows}."
    )
