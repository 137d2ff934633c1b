"""What a report comes down to, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_gen2seg.workflows.evaluate.report import Report


def in_words(report: Report) -> list[str]:
    """Return a sentence for each rule that was clicked with, and one on proposals.

    A last one names the pictures that were not measured, if any. Empty where only
    edges were measured, of every picture.
    """
    images = report.images
    rules = [rule for rule in ("distance", "paper") if rule in _part(images, "clicks")]
    said = [_of_clicks(report, rule, len(rules) > 1) for rule in rules]
    if _part(images, "proposals"):
        said.append(_of_proposals([image["proposals"] for image in images]))
    return said + not_measured(report)


def not_measured(report: Report) -> list[str]:
    """Return a sentence that names the pictures left out; empty if there are none."""
    names = report.content["data"].get("not_measured", [])
    if not names:
        return []
    count = _number(len(names) + len(report.images), "picture")
    return [f"Not measured: {len(names)} of {count}: {', '.join(names)}."]


def _part(images: list[dict[str, Any]], name: str) -> Any:
    return images[0].get(name) or {}


def _of_clicks(report: Report, rule: str, name_it: bool) -> str:
    count = sum(len(image["clicks"][rule]) for image in report.images)
    pictures = _number(len(report.images), "picture")
    if not count:
        smallest = report.content["settings"]["smallest"]
        return f"No object of {smallest} pixels or more was there to click: {pictures}."
    mean = report.summary[f"clicks/{rule}/centre"]
    sure = ""
    if mean["low"] is not None and mean["high"] is not None:
        sure = (
            f" ({report.content['settings']['confidence']:.0%} interval "
            f"{mean['low']:.2f} to {mean['high']:.2f})"
        ).replace("%", " %")
    share = report.value(f"clicks/{rule}/centre_75")
    return (
        f"One click in the middle{f', rule {rule},' if name_it else ''} gives a good "
        f"mask (IoU of 0.75 or more) for {100 * share:.0f} % of the objects; mean IoU "
        f"{mean['value']:.2f}{sure}, {_number(count, 'object')} in {pictures}."
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
        f"Without clicks, {hits} of {_number(true, 'object')} are found (IoU of 0.50 "
        f"or more), and {found - hits} regions that are none of them."
    )


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
