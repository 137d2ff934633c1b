"""``project``: a folder of images and labels, from the first image to the data set."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from napari_gen2seg.cli.inputs import load, resolution_from
from napari_gen2seg.cli.options import ModelOptions, model_options
from napari_gen2seg.cli.outputs import overwrite_option
from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import DataError

if TYPE_CHECKING:
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.project.progress import Progress

_PATH = click.Path(path_type=Path)
_THERE = click.Path(exists=True, path_type=Path)
# Those of `project.journal.state`; a test compares them. Importing it takes numpy.
STATES = ("untouched", "proposed", "in work", "done", "skipped")
# Those of `project.exchange.exporting`.
EXPORTS = ("tiff", "coco", "yolo", "imagej", "cellpose", "stardist", "ome-zarr")

_json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def project() -> None:
    """Make a data set of many images: init, status, propose, import, export."""


@project.command("init")
@click.argument("folder", type=_PATH)
@click.argument("images", nargs=-1, type=_THERE)
@click.option("--name", default="", help="For people; by default the folder's name.")
@click.option("--copy", is_flag=True, help="Copy the images into the project.")
@click.option("--group", default="", help="Never divided between train and test.")
@click.option("--class", "classes", multiple=True, help="A kind of object. Several.")
@click.option("--model", default="mini", show_default=True, help="What proposes.")
def init(
    folder: Path,
    images: Sequence[Path],
    name: str,
    copy: bool,
    group: str,
    classes: Sequence[str],
    model: str,
) -> None:
    """Make a project in FOLDER, or add IMAGES (files, folders) to the one there."""
    from napari_gen2seg.project.making import make_project

    made = make_project(
        folder,
        images,
        copy=copy,
        group=group,
        name=name,
        model=model,
        classes=classes,
    )
    for file, item in made.taken:
        click.echo(f"{item.name}: {file}")
    for problem in made.problems:
        click.echo(f"not added: {problem}", err=True)
    click.echo(
        f"{folder}: {count_text(made.added, 'image')} added, "
        f"{len(made.project.items)} in all"
    )
    if made.problems:
        count = count_text(len(made.problems), "image")
        raise DataError(f"{count} could not be added, the others are; see above.")


@project.command()
@click.argument("folder", type=_THERE)
@_json_option
@click.option("--progress", is_flag=True, help="Only what came of each model.")
def status(folder: Path, as_json: bool, progress: bool) -> None:
    """Say of each image of the project in FOLDER how far it is."""
    from collections import Counter
    from dataclasses import asdict

    import numpy as np

    from napari_gen2seg.project.journal.lock import read_owner
    from napari_gen2seg.project.progress import COUNTED, progress_of
    from napari_gen2seg.project.project import Project

    opened = Project.open(folder)
    looked_at = []
    rows: list[dict[str, Any]] = []
    for item in opened.items:
        work = item.work()
        numbers = [int(n) for n in np.unique(work.labels()) if n > 0]
        who = Counter(
            origin.who if (origin := work.state.origins.get(n)) else "by hand"
            for n in numbers
        )
        if work.state.state in COUNTED:
            looked_at.append({n: work.state.origins.get(n) for n in numbers})
        owner = read_owner(item.folder)
        rows.append(
            {
                "name": item.name,
                "state": work.state.state,
                "objects": len(numbers),
                "who": dict(sorted(who.items())),
                "group": work.state.group,
                "image": str(work.image.path),
                "found": bool(work.image.path and work.image.path.exists()),
                "open": owner.text if owner else "",
            }
        )
    made = progress_of(looked_at)
    if as_json:
        told = [{**asdict(one), "rate": one.rate} for one in made] if progress else rows
        click.echo(json_module.dumps(told, indent=1, ensure_ascii=False))
        return
    for row in [] if progress else rows:
        said = ", ".join(f"{n} {who_}" for who_, n in row["who"].items())
        more = "" if row["found"] else f"; there is no {row['image']} any more"
        more += f"; open: {row['open']}" if row["open"] else ""
        objects = count_text(row["objects"], "object")
        click.echo(
            f"{row['name']}: {row['state']}, {objects}{f' ({said})' if said else ''}"
            f"{more}"
        )
    states = Counter(str(row["state"]) for row in rows)
    parts = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    click.echo(f"{count_text(len(rows), 'image')}: {parts or 'none yet'}")
    for one in made:
        click.echo(_progress_text(one))


def _progress_text(made: Progress) -> str:
    """Say what came of working with one model."""
    parts = {
        "as proposed": made.unchanged,
        "corrected": made.corrected,
        "clicked": made.clicked,
        "drawn or imported": made.drawn,
    }
    said = ", ".join(f"{count} {how}" for how, count in parts.items() if count)
    rate = "" if made.rate is None else f"; {made.rate:.1f} a minute"
    return (
        f"with {made.model or 'no model'}: {count_text(made.objects, 'object')} looked "
        f"at ({said}){rate}"
    )


@project.command()
@click.argument("folder", type=_THERE)
@click.argument("state", type=click.Choice(STATES))
@click.argument("names", nargs=-1, required=True)
def mark(folder: Path, state: str, names: Sequence[str]) -> None:
    """Say that the images NAMES of the project in FOLDER are in STATE."""
    from napari_gen2seg.project.project import Project

    opened = Project.open(folder)
    for name in names:
        opened.set_state(name, state)
        click.echo(f"{name}: {state}")


@project.command()
@click.argument("folder", type=_THERE)
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    default=("untouched",),
    show_default=True,
    help="Images in this state. May be given several times.",
)
@click.option("--diameter", type=float, metavar="PX", help="Of a typical object.")
@model_options
def propose(
    folder: Path, states: Sequence[str], diameter: float | None, chosen: ModelOptions
) -> None:
    """Propose the objects of the images that nobody has begun."""
    from dataclasses import replace

    from napari_gen2seg.core.proposal_settings import ProposalSettings
    from napari_gen2seg.project.project import Project
    from napari_gen2seg.project.propose import ItemFailed
    from napari_gen2seg.project.propose import propose as run

    opened = Project.open(folder)
    source = click.get_current_context().get_parameter_source("model")
    if source is click.core.ParameterSource.DEFAULT:
        chosen = replace(chosen, model=opened.facts.model)
    settings = ProposalSettings(diameter=diameter)
    colorer = load(chosen)
    failed = 0
    for event in run(
        opened,
        colorer,
        states=states,
        settings=settings,
        resolution=lambda shape: resolution_from(
            chosen.resolution, diameter, shape, colorer
        ),
        passes=chosen.passes,
        model=chosen.model,
    ):
        place = f"[{event.number} of {event.count}] {event.name}"
        if isinstance(event, ItemFailed):
            failed += 1
            click.echo(f"{place}: {event.error}", err=True)
        else:
            click.echo(f"{place}: {count_text(event.objects, 'object')}")
    if failed:
        raise DataError(f"{count_text(failed, 'image')} could not be done; see above.")


@project.command("import")
@click.argument("folder", type=_THERE)
@click.argument("source", type=_THERE)
@overwrite_option
def import_(folder: Path, source: Path, overwrite: bool) -> None:
    """Take labels of other programs in SOURCE for images of the project in FOLDER."""
    from napari_gen2seg.project.exchange.importing import import_labels
    from napari_gen2seg.project.project import Project

    done = import_labels(Project.open(folder), source, overwrite=overwrite)
    for name, count in done.images.items():
        click.echo(f"{name}: {count_text(count, 'object')}")
    for note in done.notes:
        click.echo(note, err=True)
    for one in done.unmatched:
        click.echo(f"{one}: no image of the project has this name", err=True)


@project.command("rename-class")
@click.argument("folder", type=_THERE)
@click.argument("old")
@click.argument("new")
def rename_class(folder: Path, old: str, new: str) -> None:
    """Call the class OLD of the project in FOLDER otherwise: NEW."""
    from napari_gen2seg.project.classes import rename_class as rename
    from napari_gen2seg.project.project import Project

    rename(Project.open(folder), old, new)
    click.echo(f"{folder}: {old} is called {new.strip()} now")


@project.command()
@click.argument("folder", type=_THERE)
@click.argument("kind", type=click.Choice(EXPORTS))
@click.argument("target", type=_PATH)
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    default=("done",),
    show_default=True,
    help="Images in this state. May be given several times.",
)
@click.option(
    "--split",
    "shares",
    type=float,
    nargs=3,
    default=(0.7, 0.15, 0.15),
    show_default=True,
    help="Shares of train, validation and test; groups stay together.",
)
@click.option("--seed", type=int, default=0, help="For another split.")
@overwrite_option
def export(
    folder: Path,
    kind: str,
    target: Path,
    states: Sequence[str],
    shares: tuple[float, float, float],
    seed: int,
    overwrite: bool,
) -> None:
    """Write the images and labels of the project in FOLDER as a data set of a KIND."""
    from napari_gen2seg.project.exchange.exporting import export_project
    from napari_gen2seg.project.project import Project

    done = export_project(
        Project.open(folder),
        kind,
        target,
        states=states,
        shares=shares,
        seed=seed,
        overwrite=overwrite,
    )
    parts = ", ".join(f"{n} {part}" for part, n in done.parts.items() if n)
    click.echo(
        f"{target}: {count_text(done.images, 'image')} ({parts}), "
        f"{count_text(done.objects, 'object')}"
    )
    for loss in done.losses:
        click.echo(loss, err=True)


@project.command()
@click.argument("folder", type=_THERE)
@click.argument("names", nargs=-1)
@_json_option
@click.option("--device", default="auto", show_default=True, help="As for `segment`.")
@click.pass_context
def replay(
    context: click.Context,
    folder: Path,
    names: Sequence[str],
    as_json: bool,
    device: str,
) -> None:
    """Make the labels of the project in FOLDER again, and say what differs.

    Nothing is changed. Ends with status 1 if something came out otherwise.
    """
    from napari_gen2seg.project.project import Project
    from napari_gen2seg.project.replay import replay as run

    def loaded(model: str, revision: str | None) -> Colorer:
        return load(ModelOptions(model, revision, device=device))

    differs = False
    for found in run(Project.open(folder), loaded, names=names):
        differs |= bool(found.different or found.problems)
        if as_json:
            click.echo(json_module.dumps(found.to_json(), ensure_ascii=False))
            continue
        click.echo(
            f"{found.name}: {found.same} the same, {len(found.different)} different, "
            f"{found.by_hand} by hand or from elsewhere"
        )
        for one in found.different:
            click.echo(
                f"    object {one.number}: IoU {one.iou:.3f}, {one.missing} pixels "
                f"missing, {one.extra} more"
            )
        if found.other_maps:
            click.echo(
                f"    {count_text(found.other_maps, 'map')} came out otherwise than "
                "then: another device, or other versions of libraries"
            )
        for problem in found.problems:
            click.echo(f"    {problem}")
    if differs:
        context.exit(1)
