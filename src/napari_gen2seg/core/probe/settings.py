"""What may be said about a probe; plain values, checked when they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.errors import SettingsError

MAX_TOLERANCE = math.sqrt(3) * 255
"""Distance between black and white, the largest there is: 441.67."""


@dataclass(frozen=True)
class ProbeSettings:
    """How clicks become a mask.

    Attributes
    ----------
    rule
        ``"distance"``, the product's own, or ``"paper"``, the published rule,
        which only reads ``sigma`` and ``threshold``.
    tolerance
        Colour distance 0..441 inside which a pixel belongs to the clicked
        colour; ``None`` chooses it where the area hardly depends on it.
    contiguous
        Keep only what is connected to a positive click; else match everywhere.
    edge_barrier
        Strong edges of the map cost up to twice their colour distance.
    clean
        Fill pin holes and let the rim follow the edge of the map. Nothing thin is ever
        removed.
    brightness
        Let the picture's brightness have a say where it tells objects from background
        as the map does, in outlines too; False asks the map alone.
    query_radius
        Source pixels around a click whose colours, as far as they agree, make
        the clicked colour.
    sigma
        Published rule: width of the click, as a fraction of the frame.
    threshold
        Published rule: 0..254, similarity above which a pixel belongs.
    """

    rule: Literal["distance", "paper"] = "distance"
    tolerance: float | None = None
    contiguous: bool = True
    edge_barrier: bool = True
    clean: bool = True
    brightness: bool = True
    query_radius: float = 2.0
    sigma: float = 0.01
    threshold: int = 3

    def __post_init__(self) -> None:
        check_fields(self)
        if self.rule not in ("distance", "paper"):
            raise SettingsError(
                f'The rule is {self.rule!r}; it must be "distance" or "paper".'
            )
        if self.tolerance is not None and not 0 <= self.tolerance < math.inf:
            raise SettingsError(
                f"The tolerance is {self.tolerance}; it must be a color distance of "
                "0 to 441, or None to have it chosen."
            )
        if not 0 <= self.query_radius < math.inf:
            raise SettingsError(
                f"query_radius is {self.query_radius}; it must be 0 or more pixels."
            )
        if not 0 < self.sigma < math.inf:
            raise SettingsError(
                f"sigma is {self.sigma}; it must be above 0, for instance 0.01."
            )
        if not 0 <= self.threshold < 255:
            raise SettingsError(
                f"The threshold is {self.threshold}; it must lie in 0..254."
            )
