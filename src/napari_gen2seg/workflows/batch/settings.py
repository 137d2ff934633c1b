"""What is wanted of every image of a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.core.linking import LinkSettings
from napari_gen2seg.workflows.tiled.looking import LookSettings


@dataclass(frozen=True)
class BatchSettings:
    """What is wanted of every image.

    Attributes
    ----------
    look
        How planes are looked at, and which objects count.
    axes, series
        Where files name them wrongly, or hold several images.
    link
        How objects get one number through z and time; None leaves each plane its own.
    """

    look: LookSettings = field(default_factory=LookSettings)
    axes: str | None = None
    series: int | None = None
    link: LinkSettings | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    def facts(self) -> dict[str, Any]:
        """Return those that differ from the usual, as plain values."""
        return _changed(asdict(self), asdict(type(self)()))


def _changed(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(usual.get(name), dict):
            inner = _changed(value, usual[name])
            if inner:
                found[name] = inner
        elif value != usual.get(name):
            found[name] = value
    return found
