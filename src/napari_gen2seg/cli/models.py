"""``models``: what there is to choose from; models in, out and away."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Any

import click

from napari_gen2seg.cli.outputs import check_free, overwrite_option
from napari_gen2seg.cli.say import say
from napari_gen2seg.errors import (
    Gen2SegError,
    ModelNotFoundError,
    SettingsError,
)
from napari_gen2seg.models.spec import ModelSpec

_WHERE = {"embedded": "in this package", "hub": "Hugging Face hub", "folder": "folder"}
_ANY = click.Path(exists=True, path_type=Path)


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models at hand (nothing is downloaded), or handle one of them."""
    if context.invoked_subcommand is not None:
        return
    from napari_gen2seg.models.registry import list_models

    specs = list_models()
    if as_json:
        say(json_module.dumps([facts(spec) for spec in specs], indent=2))
        return
    for spec in specs:
        say(f"{spec.id}")
        size = f", {spec.size_bytes / 1e6:.0f} MB" if spec.size_bytes else ""
        place = f"{_WHERE[spec.source]}{size}"
        say(f"    {spec.title}; family {spec.family}; {place}")
        say(f"    license: {spec.licence}")
        if spec.description:
            say(f"    {spec.description}")


@models.command()
@click.argument("source", type=_ANY)
@click.option("--name", help="Its folder's name; by default its own.")
def add(source: Path, name: str | None) -> None:
    """Add the model in SOURCE, a folder or a zip, to one's own models."""
    from napari_gen2seg.models.library.import_export import check_model, unpacked
    from napari_gen2seg.models.library.user_models import adopt

    if source.is_dir():
        check_model(source)
        placed = adopt(source, name or _name_of(source) or source.resolve().name)
    else:
        with unpacked(source) as folder:
            placed = adopt(folder, name or _name_of(folder) or source.stem)
    say(f"{placed}: added")


@models.command()
@click.argument("model", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(model: str, yes: bool) -> None:
    """Delete one of one's own models; masks made with it stay."""
    from napari_gen2seg.jobs.training.cleanup import drop_runs_without_models
    from napari_gen2seg.jobs.training.past_runs import unfinished_from
    from napari_gen2seg.models.library.user_models import is_own
    from napari_gen2seg.models.library.user_models import remove as delete

    folder = _own(model)
    if not is_own(str(folder)):
        raise _not_removable(model)
    if not yes:
        click.confirm(f"Delete {folder}?", abort=True)
    delete(folder, unfinished_from)
    drop_runs_without_models()
    say(f"{folder}: removed")


@models.command()
@click.argument("model", metavar="ID")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--zip", "as_zip", is_flag=True, help="One file in place of a folder.")
@click.option("--bioimageio", is_flag=True, help="A bioimage.io package (.zip).")
@click.option("--author", "authors", multiple=True, help="bioimage.io: who made it.")
@click.option(
    "--license",
    "--licence",
    "licence",
    metavar="SPDX",
    help="bioimage.io: of the weights.",
)
@click.option(
    "--size",
    type=click.IntRange(min=64),
    default=256,
    show_default=True,
    help="bioimage.io: side in pixels of the pictures it will take.",
)
@click.option("--check", is_flag=True, help="bioimage.io: run it with bioimageio.core.")
@overwrite_option
def export(
    model: str,
    target: Path,
    as_zip: bool,
    bioimageio: bool,
    authors: tuple[str, ...],
    licence: str | None,
    size: int,
    check: bool,
    overwrite: bool,
) -> None:
    """Copy a model to TARGET: a folder, a zip, or a bioimage.io package."""
    from napari_gen2seg.models.library.user_models import export as copy

    folder = _folder(model)
    if (as_zip or bioimageio) and target.suffix.lower() != ".zip":
        target = target.with_name(f"{target.name}.zip")
    if target.suffix.lower() == ".zip":
        check_free([target], overwrite)
    if bioimageio:
        from napari_gen2seg.models.library.bioimageio import export_bioimageio

        made = export_bioimageio(
            folder, target, authors=authors, licence=licence, size=size
        )
    else:
        from napari_gen2seg.models.library.import_export import check_model

        check_model(folder)
        made = copy(folder, target)
    say(f"{made}: written")
    if bioimageio and check:
        say(f"{made}: {_checked(made)}")


@models.command()
@click.argument("model", metavar="ID")
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--public", is_flag=True, help="Everybody may see a new repository.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def push(model: str, repo: str, public: bool, yes: bool) -> None:
    """Upload a model to the Hugging Face hub, as who is logged in there."""
    from napari_gen2seg.models.library.import_export import push as upload

    folder = _folder(model)
    who = "for everybody to see" if public else "private, if it is new"
    if not yes:
        click.confirm(f"Upload {folder.name} to {repo} ({who})?", abort=True)
    say(f"{upload(folder, repo, private=not public)}: uploaded")


def _checked(package: Path) -> str:
    from napari_gen2seg.models.library.bioimageio import check_package

    checker = check_package(package)
    if checker is None:
        return (
            "written, but not checked, since bioimageio.core is not installed; "
            "'pip install bioimageio.core' adds it"
        )
    return f"written, and checked by {checker}"


def _folder(model: str) -> Path:
    """Return where a model's files are.

    Raises
    ------
    ModelNotFoundError
        If there is none of that name on this computer.
    """
    from napari_gen2seg.common.user_dirs import models_dir
    from napari_gen2seg.models.registry import find

    own = models_dir() / model
    if model not in ("", ".", "..") and own.is_dir():
        return own
    spec = find(model)
    if spec.path is None:
        raise ModelNotFoundError(
            f"The model {model!r} is not on this computer; load it once first."
        )
    return spec.path


def _own(model: str) -> Path:
    """Return the folder of one of the user's models, by id, folder name or title."""
    from napari_gen2seg.common.user_dirs import models_dir
    from napari_gen2seg.models.registry import list_models

    own = models_dir() / model
    if Path(model).name == model and own.is_dir():
        return own
    titled = [one.path for one in list_models() if one.title == model and one.path]
    mine = [path for path in titled if path.parent == models_dir()]
    return mine[0] if len(mine) == 1 else Path(model)


def _name_of(folder: Path) -> str:
    """Return what a model is called in its own files; empty if they do not say."""
    from napari_gen2seg.models.registry import folder_spec

    title = folder_spec(folder).title
    return "" if title == folder.name else title


def _not_removable(model: str) -> Gen2SegError:
    """Say why a model cannot be removed, and which can."""
    from napari_gen2seg.common.user_dirs import models_dir
    from napari_gen2seg.models.registry import list_models

    specs = list_models()
    paths = [spec.path for spec in specs if spec.path is not None]
    own = [path.name for path in paths if path.parent == models_dir()]
    rest = f"yours are {', '.join(own)}." if own else "you have none yet."
    source = next((spec.source for spec in specs if spec.id == model), None)
    if source is None:
        return ModelNotFoundError(f"You have no model {model!r} of your own; {rest}")
    what = "part of this package" if source == "embedded" else "not one of your own"
    return SettingsError(
        f"{model} is {what} and cannot be removed here; only your own can, and {rest}"
    )


def facts(spec: ModelSpec) -> dict[str, Any]:
    """Return a model's facts as JSON has them."""
    return {
        "id": spec.id,
        "family": spec.family,
        "title": spec.title,
        "source": spec.source,
        "licence": spec.licence,
        "licence_url": spec.licence_url,
        "size_bytes": spec.size_bytes,
        "default_resolution": spec.default_resolution,
        "path": str(spec.path) if spec.path else None,
        "repo": spec.repo,
        "revision": spec.revision,
        "description": spec.description,
    }
