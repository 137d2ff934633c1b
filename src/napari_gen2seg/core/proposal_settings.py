"""Settings of the search for objects without a click."""

from __future__ import annotations

from dataclasses import dataclass

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.errors import SettingsError

SHARE = 0.5
"""Largest object as a share of the map, where nobody says otherwise."""
_SPECK = 0.25  # of the typical diameter; of 101 smaller proposals 8 were right

Range = tuple[float, float]


@dataclass(frozen=True)
class ProposalSettings:
    """How objects are proposed.

    ``tolerance``, ``background`` and ``diameter`` decide which candidates there are,
    the others which of them are selected.

    Attributes
    ----------
    tolerance
        Colour distance as for a click; ``None`` chooses it for every object.
    background
        Colours nearer to black than this are background, 0..441, and so are objects
        of which half the pixels are. ``None`` takes 100 where the model paints the
        background black, else 40.
    min_area
        Smallest object in pixels of the map.
    min_diameter
        Smallest diameter as a share of the typical object's, 0..1; only where the
        model paints the background black.
    max_share
        Largest object as a share of the map, 0..1.
    min_score
        Smallest score of an object, 0..1. ``None`` takes 0.35 where the diameter is
        told, else 0.15.
    diameter
        Of a typical object, in source pixels: objects have 0.35 to 2 times that.
        ``None`` takes what the map was made for, if it was made for a size
        (:attr:`~.coloring.Coloring.diameter`), else any size.
    sizes
        Smallest and largest diameter of an object in source pixels, that of a disc of
        its area. Takes the place of what ``diameter`` and ``min_diameter`` say.
    max_overlap
        Largest share of an object that those selected before it may hold, 0..1.
    most
        Most objects to propose.
    """

    tolerance: float | None = None
    background: float | None = None
    min_area: int = 16
    min_diameter: float = _SPECK
    max_share: float = SHARE
    min_score: float | None = None
    diameter: float | None = None
    sizes: Range | None = None
    max_overlap: float = 0.5
    most: int = 4096

    def __post_init__(self) -> None:
        check_fields(self)
        if self.tolerance is not None and not self.tolerance > 0:
            raise SettingsError(
                f"The tolerance is {self.tolerance}; it must be a color distance "
                "above 0, or None to have it chosen."
            )
        if self.background is not None and not self.background >= 0:
            raise SettingsError(
                f"The background is {self.background}; it must be a color distance "
                "from 0 (nothing is background), or None to have it chosen."
            )
        if self.min_area < 1 or self.most < 1:
            raise SettingsError(
                f"min_area is {self.min_area} and most is {self.most}; both must be "
                "at least 1."
            )
        if not 0 < self.max_share <= 1 or not 0 <= (self.min_score or 0) <= 1:
            raise SettingsError(
                f"max_share is {self.max_share} and min_score {self.min_score}; both "
                "must lie in 0..1, the share above 0."
            )
        if self.diameter is not None and not self.diameter > 0:
            raise SettingsError(
                f"The diameter is {self.diameter}; it must be a positive number of "
                "source pixels, or None."
            )
        if self.sizes is not None and not 0 <= self.sizes[0] <= self.sizes[1]:
            raise SettingsError(
                f"The sizes are {self.sizes[0]:g} to {self.sizes[1]:g}; they must be "
                "the smallest and the largest diameter in source pixels, in this order."
            )
        if not 0 <= self.min_diameter <= 1 or not 0 <= self.max_overlap <= 1:
            raise SettingsError(
                f"min_diameter is {self.min_diameter} and max_overlap "
                f"{self.max_overlap}; both must lie in 0..1, the one a share of the "
                "typical diameter, the other of an object."
            )
