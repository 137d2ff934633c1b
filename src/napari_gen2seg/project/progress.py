"""How the work on a project goes: who made the objects, by which model, how fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from napari_gen2seg.project.origin import Origin

PAUSE = 120.0
"""Seconds without an object after which nobody is taken to be at work."""

COUNTED = "in work", "done"
"""States of images whose objects somebody has looked at."""

BY_HAND = ""
"""Stands for the model of objects that no map had a part in."""


@dataclass(frozen=True)
class Progress:
    """What came of working with one model.

    Attributes
    ----------
    model
        Its id; `BY_HAND` for a brush alone and for labels from elsewhere.
    objects
        How many, of which `unchanged` are proposals kept as they were, `corrected` were
        changed by hand afterwards, `clicked` come from clicks, and `drawn` from a brush
        or from elsewhere.
    unchanged, corrected, clicked, drawn
        See `objects`.
    minutes
        Time at work, pauses left out; 0 where nothing is known of it.
    """

    model: str
    objects: int
    unchanged: int
    corrected: int
    clicked: int
    drawn: int
    minutes: float

    @property
    def rate(self) -> float | None:
        """Objects a minute; None where the time is not known."""
        return self.objects / self.minutes if self.minutes > 0 else None


def progress_of(images: Iterable[Mapping[int, Origin | None]]) -> list[Progress]:
    """Sum up the objects of some images, by model, the model used last coming last.

    Parameters
    ----------
    images
        Of each image, object -> where it comes from; None for a brush.

    Returns
    -------
    list of Progress
        Empty where there is no object. Proposals that nobody has looked at have no time
        and count as objects all the same: leave images out that are only proposed.
    """
    origins: dict[str, list[Origin | None]] = {}
    for image in images:
        for origin in image.values():
            model = BY_HAND if origin is None else origin.model
            origins.setdefault(model, []).append(origin)
    found = [_sum(model, group) for model, group in origins.items()]
    last = {model: max(_times(group), default=0.0) for model, group in origins.items()}
    return sorted(found, key=lambda one: (last[one.model], one.model))


def _sum(model: str, origins: list[Origin | None]) -> Progress:
    who = [None if one is None else one.who for one in origins]
    clicked, corrected = who.count("human"), who.count("corrected")
    unchanged = who.count("proposed")
    return Progress(
        model,
        len(origins),
        unchanged,
        corrected,
        clicked,
        len(origins) - clicked - corrected - unchanged,
        _minutes(_times(origins)),
    )


def _times(origins: list[Origin | None]) -> list[float]:
    return sorted(one.at for one in origins if one is not None and one.at)


def _minutes(times: list[float]) -> float:
    """Return the time at work; what came before the first object is unknown."""
    gaps = np.diff(np.asarray(times, np.float64))
    return float(gaps[gaps <= PAUSE].sum()) / 60
