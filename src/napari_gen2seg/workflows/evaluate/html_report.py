"""A report as one HTML page: no other file, no script, no network."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from napari_gen2seg.workflows.evaluate.text_report import drawn_over, not_measured

if TYPE_CHECKING:
    from napari_gen2seg.workflows.evaluate.worst_cases import WorstCase


def page(content: dict[str, Any], worst: Sequence[WorstCase] = ()) -> str:
    """Return the page as text.

    Parameters
    ----------
    content
        Plain values, as `Report.content`.
    worst
        Objects to show.
    """
    summary = content["summary"]
    over = drawn_over(entry.get("drawn", "images") for entry in summary.values())
    model, data = content["model"], content["data"]
    title = f"{model['id']} on {data['name']}"
    confidence = content["settings"]["confidence"]
    parts = [
        *(f"<p>{escape(sentence)}</p>" for sentence in not_measured(content)),
        _summary(summary),
        '<div class="charts">',
        *_charts(content["curves"], content["settings"]["edge_levels"]),
        "</div>",
    ]
    if worst:
        parts.append("<h2>Worst objects after one center click</h2>")
        parts += [_case(case) for case in worst]
    parts += ["<h2>Pictures</h2>", _pictures(content["images"])]
    for name in ("settings", "model", "versions"):
        parts += [f"<h2>{name.capitalize()}</h2>", _facts(content[name])]
    template = files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        title=escape(title),
        pictures=data["pictures"],
        confidence=f"{confidence:.0%}",
        over=over,
        resamples=content["settings"]["resamples"],
        parts="\n".join(parts),
    )


def _summary(summary: dict[str, dict[str, Any]]) -> str:
    rows = [
        (
            entry["title"],
            _number(entry["value"]),
            f"{_number(entry['low'])} – {_number(entry['high'])}",
        )
        for entry in summary.values()
    ]
    return _table(("what", "value", "interval"), rows, numbers=(1, 2))


def _charts(curves: dict[str, list[float | None]], edge_levels: int) -> Iterable[str]:
    shares: list[Line] = [
        (name.removeprefix("share_"), [place / 20 for place in range(21)], values)
        for name, values in curves.items()
        if name.startswith("share_")
    ]
    clicks: list[Line] = [
        (_words(name), list(range(1, len(values) + 1)), values)
        for name, values in curves.items()
        if name.startswith(("iou_", "reached_"))
    ]
    edges = list(_edge_lines(curves, edge_levels))
    for words, title, across, up, lines in (
        (
            "Share of objects by IoU of one center click",
            "Share of objects by IoU",
            "IoU at least",
            "share",
            shares,
        ),
        (
            "Corrections: mean IoU, and share of objects that reached 0.85 and 0.90",
            "Corrections",
            "clicks",
            "IoU or share",
            clicks,
        ),
        ("Edges", "Edges", "recall", "precision", edges),
    ):
        if lines:
            yield _figure(words, chart(title, across, up, lines))


def _edge_lines(
    curves: dict[str, list[float | None]], edge_levels: int
) -> Iterable[Line]:
    both = zip(
        curves.get("edge_recall", ()), curves.get("edge_precision", ()), strict=True
    )
    known = sorted((r, p) for r, p in both if r is not None and p)
    if known:
        recall, precision = zip(*known, strict=True)
        yield f"{edge_levels} thresholds", recall, precision


def _words(name: str) -> str:
    kind, _, rest = name.partition("_")
    return "mean IoU" if kind == "iou" else f"≥ 0.{rest.partition('_')[0]}"


def _pictures(images: Sequence[dict[str, Any]]) -> str:
    rows = []
    for image in images:
        height, width = image["shape"]
        row = [image["name"], f"{height} x {width}"]
        for objects in image.get("clicks", {}).values():
            overlaps = [one["centre"] for one in objects]
            row.append(str(len(objects)))
            row.append(_number(sum(overlaps) / len(overlaps) if overlaps else None))
        if "proposals" in image:
            found = image["proposals"]
            row.append(f"{found['hits'][0]} of {found['true']}, {found['found']} found")
        rows.append(row)
    head = ["picture", "size"]
    for rule in images[0].get("clicks", {}):
        head += [f"objects, {rule}", "mean IoU"]
    if "proposals" in images[0]:
        head.append("proposals right (IoU 0.50)")
    return _table(head, rows)


def _case(case: WorstCase) -> str:
    views = "".join(
        _figure(words, _image(data, words)) for words, data in case.pictures
    )
    return (
        f"<p>{escape(case.title)}: IoU {case.overlap:.3f}</p>"
        f'<div class="case">{views}</div>'
    )


def _image(data: bytes, words: str) -> str:
    coded = base64.b64encode(data).decode("ascii")
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{coded}">'


def _figure(words: str, content: str) -> str:
    return f"<figure>{content}<figcaption>{escape(words)}</figcaption></figure>"


def _facts(facts: dict[str, Any]) -> str:
    return _table(
        ("name", "value"), [(name, str(facts[name])) for name in sorted(facts)]
    )


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()
) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = [f"<table><tr>{cells}</tr>"]
    for row in rows:
        cells = "".join(
            f'<td class="number">{escape(cell)}</td>'
            if place in numbers
            else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</table>"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


WIDTH, HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 40
COLORS = ("#2563eb", "#db2777", "#059669", "#d97706")

Line = tuple[str, Sequence[float], Sequence[float | None]]
"""Name, x and y."""


def chart(title: str, across: str, up: str, lines: Sequence[Line]) -> str:
    """Draw lines with y in 0..1.

    Parameters
    ----------
    title, across, up
        Words for the chart and its axes.
    lines
        Points without a value are left out.

    Returns
    -------
    str
        An ``svg`` element.
    """
    places = [x for _, xs, _ in lines for x in xs]
    low, high = min(places), max(places)
    span = (high - low) or 1.0

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (x - low) / span * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - y * (HEIGHT - _TOP - _BOTTOM),
        )

    parts = [
        (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
            f'aria-label="{escape(title)}">'
        )
    ]
    for step in range(6):
        x, y = at(low + span * step / 5, step / 5)
        parts += [
            (
                f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                'class="grid"/>'
            ),
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">{step / 5:.1f}</text>',
            (
                f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 16}" class="mid">'
                f"{low + span * step / 5:g}</text>"
            ),
        ]
    for number, (name, xs, ys) in enumerate(lines):
        color = COLORS[number % len(COLORS)]
        points = " ".join(
            "{:.1f},{:.1f}".format(*at(x, y))
            for x, y in zip(xs, ys, strict=True)
            if y is not None
        )
        parts += [
            (
                f'<polyline points="{points}" fill="none" stroke="{color}" '
                'stroke-width="2"/>'
            ),
            (
                f'<text x="{WIDTH - _RIGHT - 4}" y="{_TOP + 14 + 16 * number}" '
                'class="end" '
                f'style="fill:{color}">{escape(name)}</text>'
            ),
        ]
    parts += [
        (
            f'<text x="{(WIDTH + _LEFT) / 2}" y="{HEIGHT - 6}" class="mid">'
            f"{escape(across)}</text>"
        ),
        (
            f'<text transform="translate(12 {HEIGHT / 2}) rotate(-90)" class="mid">'
            f"{escape(up)}</text>"
        ),
        "</svg>",
    ]
    return "".join(parts)
