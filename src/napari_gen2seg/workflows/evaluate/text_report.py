"""What a report comes down to, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from napari_gen2seg.common.text import count_text
from napari_gen2seg.metrics.bootstrap import FEW


class HasContent(Protocol):
    """A `Report`, which renders itself and so must not be imported here."""

    @property
    def content(self) -> dict[str, Any]:
        """Plain values, as in its JSON."""


def in_words(report: HasContent) -> list[str]:
    """Return a sentence for each rule that was clicked with, and one on proposals.

    A last one names the pictures that were not measured, if any. Empty where only
    edges were measured, of every picture.
    """
    content = report.content
    images = content["images"]
    rules = [rule for rule in ("distance", "paper") if rule in _part(images, "clicks")]
    said = [_of_clicks(content, rule, len(rules) > 1) for rule in rules]
    if _part(images, "proposals"):
        said.append(_of_proposals([image["proposals"] for image in images]))
    return said + not_measured(content)


def not_measured(content: dict[str, Any]) -> list[str]:
    """Return a sentence that names the images left out; empty if there are none."""
    names = content["data"].get("not_measured", [])
    if not names:
        return []
    count = count_text(len(names) + len(content["images"]), "picture")
    return [f"Not measured: {len(names)} of {count}: {', '.join(names)}."]


def drawn_over(drawn: Iterable[str | None]) -> str:
    """Say what the intervals of some numbers are over, each `Bootstrap.drawn`."""
    if "objects" not in set(drawn):
        return "over pictures"
    return (
        f"over objects where fewer than {FEW} pictures have any, and then too narrow "
        "for other pictures"
    )


def probes_named(images: Iterable[dict[str, Any]]) -> str:
    """Return which probe answered, to be put after "One click"; "" in old reports."""
    used = sorted({image["probe"] for image in images if "probe" in image})
    return f" ({' and '.join(used)} probe)" if used else ""


def _part(images: list[dict[str, Any]], name: str) -> Any:
    return images[0].get(name) or {}


def _of_clicks(content: dict[str, Any], rule: str, name_it: bool) -> str:
    count = sum(len(image["clicks"][rule]) for image in content["images"])
    pictures = count_text(len(content["images"]), "picture")
    if not count:
        smallest = content["settings"]["smallest"]
        return f"No object of {smallest} pixels or more was there to click: {pictures}."
    mean = content["summary"][f"clicks/{rule}/centre"]
    sure = ""
    if mean["low"] is not None and mean["high"] is not None:
        sure = (
            f" ({content['settings']['confidence']:.0%} interval "
            f"{mean['low']:.2f} to {mean['high']:.2f}"
            f"{', over objects' if mean.get('drawn') == 'objects' else ''})"
        ).replace("%", " %")
    share = content["summary"][f"clicks/{rule}/centre_75"]["value"]
    named = f", rule {rule}," if name_it else ""
    if rule == "distance":
        named += probes_named(content["images"])
    return (
        f"One click in the middle{named} gives a good "
        f"mask (IoU of 0.75 or more) for {100 * share:.0f} % of the objects; mean IoU "
        f"{mean['value']:.2f}{sure}, {count_text(count, 'object')} in {pictures}."
    )


def _of_proposals(parts: list[dict[str, Any]]) -> str:
    true, found, hits = (
        sum(values)
        for values in zip(
            *((part["true"], part["found"], part["hits"][0]) for part in parts),
            strict=True,
        )
    )
    return (
        f"Without clicks, {hits} of {count_text(true, 'object')} are found (IoU of "
        f"0.50 or more), and {found - hits} regions that are none of them."
    )
