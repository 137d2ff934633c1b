"""``models``: what there is to choose from."""

from __future__ import annotations

import json as json_module
from typing import Any

import click

from napari_gen2seg.models.spec import ModelSpec

_WHERE = {"embedded": "in this package", "hub": "Hugging Face hub", "folder": "folder"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def models(as_json: bool) -> None:
    """List the models at hand (nothing is downloaded)."""
    from napari_gen2seg.models.registry import list_models

    specs = list_models()
    if as_json:
        click.echo(json_module.dumps([facts(spec) for spec in specs], indent=2))
        return
    for spec in specs:
        click.echo(f"{spec.id}")
        size = f", {spec.size_bytes / 1e6:.0f} MB" if spec.size_bytes else ""
        place = f"{_WHERE[spec.source]}{size}"
        click.echo(f"    {spec.title}; family {spec.family}; {place}")
        click.echo(f"    licence: {spec.licence}")
        if spec.description:
            click.echo(f"    {spec.description}")


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
