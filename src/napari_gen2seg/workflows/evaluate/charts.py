"""Line charts as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 40
COLOURS = ("#2563eb", "#db2777", "#059669", "#d97706")

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
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            "{:.1f},{:.1f}".format(*at(x, y))
            for x, y in zip(xs, ys, strict=True)
            if y is not None
        )
        parts += [
            (
                f'<polyline points="{points}" fill="none" stroke="{colour}" '
                'stroke-width="2"/>'
            ),
            (
                f'<text x="{WIDTH - _RIGHT - 4}" y="{_TOP + 14 + 16 * number}" '
                'class="end" '
                f'style="fill:{colour}">{escape(name)}</text>'
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
