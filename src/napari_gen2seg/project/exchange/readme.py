"""What is in a data set, and where it comes from: a README that goes with it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from napari_gen2seg.common.text import count_text
from napari_gen2seg.project.journal import WorkState

_WHO = {
    "human": "by a person's clicks or brush",
    "proposed": "proposed by a model and kept unchanged",
    "corrected": "made with a model and corrected by hand",
    "imported": "imported from elsewhere",
    "": "drawn by hand, or of unknown origin",
}


@dataclass(frozen=True, eq=False)
class ExportedItem:
    """What the README says of one image.

    Attributes
    ----------
    name, part, group
        As in the project and the split.
    objects
        Numbers of its objects.
    state
        What is known of them.
    """

    name: str
    part: str
    group: str
    objects: tuple[int, ...]
    state: WorkState


def readme(
    title: str,
    layout: str,
    items: Sequence[ExportedItem],
    losses: Sequence[str],
    version: str,
) -> str:
    """Write the README of a data set, as Markdown.

    Parameters
    ----------
    title
        Of the project.
    layout
        What the layout is called.
    items
        All images.
    losses
        What the layout does not keep.
    version
        Of napari-gen2seg.
    """
    every = [(item, number) for item in items for number in item.objects]
    lines = [f"# {title}", "", f"Layout: {layout}."]
    lines.append(
        f"Written by napari-gen2seg {version} on {time.strftime('%Y-%m-%d')}: "
        f"{count_text(len(items), 'image')}, {count_text(len(every), 'object')}."
    )
    lines += ["", "| part | images | objects | groups |", "|---|---|---|---|"]
    for part in ("train", "val", "test"):
        inside = [item for item in items if item.part == part]
        if inside:
            objects = sum(len(item.objects) for item in inside)
            groups = len({item.group for item in inside if item.group})
            lines.append(f"| {part} | {len(inside)} | {objects} | {groups or '-'} |")
    classes = Counter(item.state.classes.get(number, "") for item, number in every)
    if set(classes) - {""}:
        lines += ["", "| class | objects |", "|---|---|"]
        lines += [f"| {name or '-'} | {n} |" for name, n in sorted(classes.items())]
    lines += ["", "## Where the objects come from", ""]
    origins = [item.state.origins.get(number) for item, number in every]
    who = Counter("" if origin is None else origin.who for origin in origins)
    lines += [f"- {count} {_WHO[name]}" for name, count in who.most_common()]
    models = Counter(
        f"{origin.model} ({origin.revision})" if origin.revision else origin.model
        for origin in origins
        if origin is not None and origin.model
    )
    if models:
        lines += ["", "Models: "]
        lines += [f"- `{name}`: {n} objects" for name, n in models.most_common()]
    if losses:
        lines += ["", "## What this layout does not keep", ""]
        lines += [f"- {one}" for one in losses]
    lines += ["", "| image | part | group | objects |", "|---|---|---|---|"]
    lines += [
        f"| {item.name} | {item.part} | {item.group or '-'} | {len(item.objects)} |"
        for item in items
    ]
    return "\n".join(lines) + "\n"
