"""``evaluate``: annotated images and a model -> numbers; two reports -> a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from napari_gen2seg.cli.inputs import load
from napari_gen2seg.cli.options import ModelOptions, model_options, recipe_options
from napari_gen2seg.cli.outputs import check_free, overwrite_option
from napari_gen2seg.cli.param_types import FILE, TARGET
from napari_gen2seg.cli.say import say
from napari_gen2seg.common.text import count_text

if TYPE_CHECKING:
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.workflows.evaluate import Comparison, Report

#: As in io.datasets and workflows.evaluate, which are not loaded for --help.
KINDS = (
    "auto", "folder", "coco-json", "ome-zarr",
    "coco", "pidray", "ishape", "egohos", "dram", "bsds500", "hypersim",
    "virtual-kitti",
)  # fmt: skip
PROTOCOLS = ("clicks", "proposals", "edges", "all")


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path), required=False)
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="all",
    show_default=True,
    help="What to measure.",
)
@click.option(
    "--rule",
    "rules",
    type=click.Choice(["distance", "paper"]),
    multiple=True,
    help="Probe rule to click with; may be given twice. [default: distance]",
)
@click.option(
    "--probe",
    "method",
    type=click.Choice(["similarity", "learned"]),
    help="Which probe answers clicks. [default: learned where it was measured on the "
    "maps of the model]",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="auto",
    show_default=True,
    help="What DATA is: your own pictures, or the root of a published set.",
)
@click.option("--split", metavar="NAME", help="Part of the data, such as val or test.")
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the pictures of a COCO json.",
)
@click.option("--labels", metavar="NAME", help="Which labels of an OME-Zarr.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="NAME",
    help="COCO: only objects of this category. May be given several times.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="COCO: no objects of this category. May be given several times.",
)
@click.option(
    "--pictures",
    type=click.IntRange(min=1),
    help="At most so many pictures, spread evenly.",
)
@click.option(
    "--most", type=click.IntRange(min=1), help="At most so many objects of a picture."
)
@click.option(
    "--smallest",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="Objects below so many pixels are not clicked.",
)
@click.option("--no-corrections", is_flag=True, help="Only one click an object.")
@click.option(
    "--edge-levels",
    type=click.IntRange(min=1),
    default=99,
    show_default=True,
    help="Thresholds of the edge protocol.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="For off-center clicks and intervals.",
)
@click.option("--json", "json_", type=TARGET, help="Write every number here.")
@click.option("--html", type=TARGET, help="Write a page with curves and worst cases.")
@click.option(
    "--compare",
    nargs=2,
    type=FILE,
    metavar="A.json B.json",
    help="No evaluation: judge report B against report A.",
)
@overwrite_option
@model_options
@recipe_options
def evaluate(
    data: Path | None,
    protocol: str,
    rules: Sequence[str],
    method: str | None,
    kind: str,
    split: str | None,
    images: Path | None,
    labels: str | None,
    categories: Sequence[str],
    without: Sequence[str],
    pictures: int | None,
    most: int | None,
    smallest: int,
    no_corrections: bool,
    edge_levels: int,
    seed: int,
    json_: Path | None,
    html: Path | None,
    compare: tuple[Path, Path] | None,
    overwrite: bool,
    chosen: ModelOptions,
    recipe: RgbRecipe | None,
) -> None:
    """Measure a model on the annotated images of DATA.

    DATA is a folder with images/ and labels/ (TIFF or PNG, files of the same name), a
    COCO json, an OME-Zarr with labels, or with --kind the root of a published set.
    """
    if (data is None) == (compare is None):
        raise click.UsageError("Give either DATA, or --compare A.json B.json.")
    if compare is not None and html is not None:
        raise click.UsageError("--compare writes no page; leave --html out.")
    check_free([json_, html], overwrite, data, *(compare or ()))
    if data is None:
        _compare(cast("tuple[Path, Path]", compare), json_)
        return

    from napari_gen2seg.io.datasets.catalog import open_dataset
    from napari_gen2seg.workflows import evaluate as workflow

    dataset = open_dataset(
        data,
        kind,
        split,
        images=images,
        labels=labels,
        categories=categories or None,
        without=without,
        recipe=recipe,
    )
    settings = workflow.EvaluationSettings(
        protocol=_one_of(protocol),
        rules=tuple(_one_of(rule) for rule in dict.fromkeys(rules)) or ("distance",),
        method=method,
        smallest=smallest,
        most=most,
        corrections=not no_corrections,
        resolution=chosen.resolution,
        passes=chosen.passes,
        edge_levels=edge_levels,
        seed=seed,
    )
    for note in dataset.notes:
        say(note, err=True)
    colorer = load(chosen)
    skipped: list[str] = []
    for event in workflow.iter_evaluate(
        dataset, colorer, None, settings, pictures=pictures
    ):
        if isinstance(event, workflow.Started):
            count = count_text(event.pictures, "picture")
            say(f"{event.model_id} on {event.data}: {count}")
        elif isinstance(event, workflow.PictureDone):
            say(f"{event.number} of {event.count}: {event.name}", err=True)
            for note in event.notes:
                say(note, err=True)
        elif isinstance(event, workflow.PictureSkipped):
            skipped.append(f"{event.name}: {event.why}")
            say(
                f"{event.number} of {event.count}: not measured: {skipped[-1]}",
                err=True,
            )
        elif isinstance(event, workflow.Finished):
            _tell(event.report)
            if json_ is not None:
                event.report.save_json(json_)
                say(f"{json_}: every number")
            if html is not None:
                event.report.save_html(html)
                say(f"{html}: the page")
    if skipped:
        from napari_gen2seg.errors import DataError

        raise DataError(
            f"{len(skipped)} of the pictures could not be measured; everything else "
            "is. Not measured: " + "; ".join(skipped)
        )


def _one_of(value: str) -> Any:
    """Hand on what click has checked already."""
    return value


def _tell(report: Report) -> None:
    from napari_gen2seg.workflows.evaluate import in_words
    from napari_gen2seg.workflows.evaluate.text_report import drawn_over

    for sentence in in_words(report):
        say(sentence)
    confidence = report.content["settings"]["confidence"]
    over = drawn_over(entry.get("drawn") for entry in report.summary.values())
    say(f"Every number, with its {100 * confidence:.0f} % interval {over}:")
    width = max(len(entry["title"]) for entry in report.summary.values())
    for entry in report.summary.values():
        say(
            f"{entry['title']:{width}}  {_number(entry['value'])}"
            f"  [{_number(entry['low'])}, {_number(entry['high'])}]"
        )


def _compare(paths: tuple[Path, Path], json_: Path | None) -> None:
    import json

    from napari_gen2seg.common.atomic import writing
    from napari_gen2seg.workflows.evaluate import compare
    from napari_gen2seg.workflows.evaluate.text_report import drawn_over

    found: Comparison = compare(*paths)
    say(
        f"{found.second} against {found.first} on {found.data}, {found.pictures} "
        f"pictures, {found.confidence:.0%} intervals "
        f"{drawn_over(one.drawn for one in found.differences)}"
    )
    width = max(len(one.title) for one in found.differences)
    for one in found.differences:
        say(
            f"{one.title:{width}}  {_number(one.first)} -> {_number(one.second)}"
            f"  [{_number(one.low)}, {_number(one.high)}]  {one.verdict}"
        )
    if json_ is not None:
        with writing(json_) as draft:
            draft.write_text(json.dumps(found.facts(), indent=1) + "\n", "utf-8")
        say(f"{json_}: the comparison")


def _number(value: float | None) -> str:
    return "    -" if value is None else f"{value:5.3f}"
