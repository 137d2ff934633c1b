"""Where a mask comes from: enough to make it again, and to say who made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from napari_gen2seg.errors import SettingsError

Who = Literal["human", "proposed", "corrected", "imported"]
"""A person's clicks or brush; a proposal kept as it was; either of them changed
later by hand; labels that came from elsewhere."""

METHOD, INSISTED = "method", "insisted"
"""Entries of the settings that are not the probe's own."""


@dataclass(frozen=True)
class Origin:
    """Where one object comes from.

    Attributes
    ----------
    who
        See `Who`.
    model, revision
        The model that painted the map; empty where none had a part.
    coloring
        Key of the map (:attr:`~napari_gen2seg.core.coloring.Coloring.key`).
    resolution, passes
        How the map was made.
    recipe
        How channels became RGB (`RgbRecipe`), where that differs from the usual.
    plane
        Place on each axis before rows and columns; empty for a single image.
    points, signs
        Clicks, (row, column) in source pixels, and +1 or -1 for each.
    settings
        Of the probe, or of the proposals, where they differ from the usual; `METHOD`
        where the learned probe drew the outline, `INSISTED` with the places of the
        clicks that were.
    tolerance, score
        What the mask said; None where unknown.
    at
        When, in seconds since the epoch.
    window
        Of a large plane the part that was looked at, (row0, column0, row1, column1)
        half open, from which points are counted; empty for all of it.
    """

    who: Who = "human"
    model: str = ""
    revision: str | None = None
    coloring: str = ""
    resolution: int = 0
    passes: int = 1
    recipe: Mapping[str, Any] = field(default_factory=dict)
    plane: tuple[int, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    signs: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float | None = None
    score: float | None = None
    at: float = 0.0
    window: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.who not in get_args(Who):
            raise SettingsError(
                f"The origin of a mask is {self.who!r}; it must be one of "
                f"{', '.join(get_args(Who))}."
            )
        if len(self.points) != len(self.signs):
            raise SettingsError(
                f"A mask has {len(self.points)} clicks and {len(self.signs)} signs; "
                "it must have as many of both."
            )

    @property
    def replayable(self) -> bool:
        """Whether the same map and clicks make the mask again."""
        return bool(self.coloring) and self.who in ("human", "proposed")

    def corrected(self) -> Origin:
        """Return the origin of the same object after a change by hand.

        What was said of its mask is said of another one.
        """
        return replace(self, who="corrected", tolerance=None, score=None)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, those left out that are as usual."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values["tolerance"] = _finite(self.tolerance)
        return {
            name: _plain(value)
            for name, value in values.items()
            if name == "who" or value != _USUAL[name]
        }

    @classmethod
    def from_json(cls, raw: Any) -> Origin:
        """Read what `to_json` gave; what a later version added is passed over.

        Raises
        ------
        SettingsError
            If a value is of another kind.
        """
        try:
            return cls(
                raw["who"],
                str(raw.get("model", "")),
                None if raw.get("revision") is None else str(raw["revision"]),
                str(raw.get("coloring", "")),
                int(raw.get("resolution", 0)),
                int(raw.get("passes", 1)),
                dict(raw.get("recipe", {})),
                tuple(int(n) for n in raw.get("plane", ())),
                tuple((float(row), float(col)) for row, col in raw.get("points", ())),
                tuple(int(n) for n in raw.get("signs", ())),
                dict(raw.get("settings", {})),
                None if raw.get("tolerance") is None else float(raw["tolerance"]),
                None if raw.get("score") is None else float(raw["score"]),
                float(raw.get("at", 0.0)),
                tuple(int(n) for n in raw.get("window", ())),
            )
        except SettingsError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(
                f"The origin of a mask could not be read ({error!r}); it is damaged."
            ) from error


_USUAL = {one.name: getattr(Origin(), one.name) for one in fields(Origin)}


def _finite(value: float | None) -> float | None:
    return None if value is None or value != value else value


def _plain(value: Any) -> Any:
    """Turn tuples into lists, as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
