"""``finetune``: labeled images and a model -> a model for one's own images."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from napari_gen2seg.cli.options import RECIPE, recipe_flags
from napari_gen2seg.cli.outputs import overwrite_option
from napari_gen2seg.cli.say import say
from napari_gen2seg.errors import DataError, Gen2SegError, SettingsError

if TYPE_CHECKING:
    from napari_gen2seg.io.annotated import AnnotatedSource
    from napari_gen2seg.io.label_facts import LabelFacts
    from napari_gen2seg.train.finetune.config import FinetuneConfig

FOLDER = click.Path(path_type=Path)  # checked together, so that both are told of
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument(
    "config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=False,
)
@click.option("--resume", is_flag=True, help="Go on from where the run was left.")
@overwrite_option
@click.option("--plan", is_flag=True, help="Only say what would be done, and exit.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="With --plan: one JSON object on a terminal too, as for programs.",
)
@click.option("--facts", type=FILE, hidden=True)  # the window's, for --plan
@click.option("--images", type=FOLDER, help="Folder of pictures.")
@click.option(
    "--labels", type=FOLDER, help="Folder of labels, files of the same names."
)
@click.option(
    "--project",
    type=FOLDER,
    help="Project to learn from: images in work, and those done as labeled whole.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Run folder to write to.")
@click.option("--model", metavar="ID", help="The base. [default: mini]")
@click.option("--name", help="Of the new model.")
@click.option(
    "--preset",
    type=click.Choice(["quick", "standard", "thorough"]),
    help="How long. [default: quick]",
)
@click.option(
    "--trainable",
    type=click.Choice(["auto", "full", "lora", "last_blocks"]),
    help="What is trained. [default: auto]",
)
@click.option("--dial", hidden=True)  # the two as they were called before
@click.option("--trains", hidden=True)
@recipe_flags
@click.option("--complete", is_flag=True, help="What is not labeled is background.")
@click.option(
    "--hold-back", type=click.FloatRange(0, 0.9), help="Share kept for scores."
)
@click.option("--steps", type=click.IntRange(min=1))
@click.option("--minutes", type=click.FloatRange(min=0.01))
@click.option("--seed", type=click.IntRange(min=0))
@click.option("--device", help="auto, cpu, cuda, cuda:N or mps.")
def finetune(
    config: Path | None,
    resume: bool,
    overwrite: bool,
    plan: bool,
    as_json: bool,
    facts: Path | None,
    images: Path | None,
    labels: Path | None,
    project: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Fine-tune a model, by a settings file CONFIG, two folders, or a project.

    Prints one JSON object a line (--plan: words on a terminal). SIGTERM or Ctrl+C saves
    and stops; a file STOP in the run folder keeps the best weights so far. Runs on
    several GPUs under `accelerate launch -m napari_gen2seg finetune CONFIG`.
    """
    taught: list[AnnotatedSource] = []
    if project is None:
        settings = _settings(config, images, labels, out, options)
    elif config or images or labels or options["complete"] or out is None:
        raise SettingsError(
            "Give --project and --out alone: a project knows its images, and which of "
            "them are labeled whole."
        )
    elif resume:
        raise SettingsError(
            "A run goes on with the images that it began with. Give its settings "
            f"instead: {out / 'config.json'} --resume."
        )
    else:
        settings, taught = _of_project(project, out.resolve(), options)
    from napari_gen2seg.cli.plan_words import plan_words
    from napari_gen2seg.train.engine.stop_signal import asked_to_stop
    from napari_gen2seg.train.finetune.events import Failed
    from napari_gen2seg.workflows.finetune import iter_finetune, plan_finetune

    asked = asked_to_stop()
    words = plan and not as_json and sys.stdout.isatty()
    try:
        if plan:
            known = [one.facts for one in taught if one.facts is not None]
            found = plan_finetune(settings, known or _facts(facts))
            for line in plan_words(found) if words else [found.line()]:
                say(line)
            return
        if taught:
            _write(settings, taught, overwrite)
        for event in iter_finetune(settings, asked, resume=resume, overwrite=overwrite):
            _tell(event.line())
    except Gen2SegError as error:
        from napari_gen2seg.errors import Cancelled

        if not words and not isinstance(error, Cancelled):
            say(Failed(type(error).__name__, str(error)).line())
        raise


def _facts(path: Path | None) -> list[LabelFacts] | None:
    """Read what a window knows of images that are not written yet."""
    from napari_gen2seg.io.label_facts import LabelFacts

    if path is None:
        return None
    try:
        return [
            LabelFacts.from_json(one) for one in json.loads(path.read_text("utf-8"))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"The facts {path} cannot be read: {error!r}. Leave --facts out: the files "
            "of the settings are read instead."
        ) from error


def _settings(
    config: Path | None,
    images: Path | None,
    labels: Path | None,
    out: Path | None,
    options: dict[str, Any],
) -> FinetuneConfig:
    """Read the settings, or make them from two folders."""
    from dataclasses import replace

    from napari_gen2seg.train.finetune.config import (
        FinetuneConfig,
        read_finetune_config,
    )

    complete, recipe, given = _given(options)
    if config is not None:
        if images or labels or out or complete:
            raise SettingsError(
                "Give either a settings file, or --images, --labels and --out."
            )
        if any(value not in (None, False) for value in recipe.values()):
            raise SettingsError(
                "Channels and contrast stand in the settings file, with each of its "
                "pairs; leave the options out."
            )
        return replace(read_finetune_config(config), **given)
    if images is None or labels is None or out is None:
        raise SettingsError(
            "Give a settings file, or --images, --labels and --out (see --help)."
        )
    missing = [str(folder) for folder in (images, labels) if not folder.is_dir()]
    if missing:
        raise SettingsError(
            f"There is no folder {' and no folder '.join(missing)}. Give folders of "
            "pictures and of labels, files of the same names."
        )
    out = out.resolve()
    given.setdefault("name", out.name)
    return FinetuneConfig(
        run=str(out),
        pairs=_pairs(images.resolve(), labels.resolve(), complete, recipe),
        **given,
    )


def _given(options: dict[str, Any]) -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """Part what was given: whether labels are complete, the recipe, settings."""
    from napari_gen2seg.train.finetune.old_words import KEYS, in_new_words

    complete = options.pop("complete")
    recipe = {key: options.pop(key) for key in RECIPE}
    given = in_new_words({k: v for k, v in options.items() if v is not None})
    twice = [f"--{old} and --{new}" for old, new in KEYS.items() if old in given]
    if twice:
        raise SettingsError(f"{twice[0]} are the same. Leave the first one out.")
    return complete, recipe, given


def _of_project(
    project: Path, out: Path, options: dict[str, Any]
) -> tuple[FinetuneConfig, list[AnnotatedSource]]:
    """Make the settings of a project, as its window does; nothing is written."""
    from napari_gen2seg.jobs.training.past_runs import crops_for
    from napari_gen2seg.jobs.training.written_data import file_names, pair_entry
    from napari_gen2seg.project.project import Project
    from napari_gen2seg.project.training_sources import training_sources
    from napari_gen2seg.train.finetune.config import finetune_config
    from napari_gen2seg.train.finetune.run_folder import DATA

    _, recipe, given = _given(options)
    if any(value not in (None, False) for value in recipe.values()):
        raise SettingsError(
            "A project's images are read as its window reads them; leave channels and "
            "contrast out."
        )
    opened = Project.open(project)
    sources = training_sources(opened)
    base = {"model": opened.facts.model, "name": out.name, **given}
    entries = [
        pair_entry(source, out / DATA, name)
        for source, name in zip(sources, file_names(sources), strict=True)
    ]
    values = {
        **base,
        "run": str(out),
        "pairs": entries,
        "replay": crops_for(base["model"]),
    }
    return finetune_config(values), sources


def _write(
    settings: FinetuneConfig, sources: list[AnnotatedSource], overwrite: bool
) -> None:
    """Write a project's images into the run folder, where no earlier run is lost."""
    from napari_gen2seg.jobs.training.written_data import file_names, write_pairs
    from napari_gen2seg.train.finetune.run_folder import DATA, check_begin

    check_begin(settings.folder, resume=False, overwrite=overwrite)
    folder, names = settings.folder / DATA, file_names(sources)
    write_pairs(folder, sources, names, lambda: None, lambda *_: None)


def _pairs(
    images: Path, labels: Path, complete: bool, recipe: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    from napari_gen2seg.io.datasets.pairs import paired_files
    from napari_gen2seg.train.data.labeled_images import PairSpec

    pairs, without = paired_files(images, labels)
    if not pairs:
        raise DataError(
            f"No picture of {images} has labels of the same name in {labels}."
        )
    found = [
        PairSpec(str(image), str(truth), image.stem, complete, **(recipe or {}))
        for image, truth in pairs
    ]
    return (*found, *(PairSpec(str(image), "", image.stem) for image in without))


def _tell(line: str) -> None:
    """Say a line; when nobody reads any more, save and stop as if asked to."""
    try:
        click.echo(line)
        sys.stdout.flush()
    except OSError:  # the window that started this run is gone
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        signal.raise_signal(signal.SIGTERM)
