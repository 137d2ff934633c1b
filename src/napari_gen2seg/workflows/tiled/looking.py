"""How planes are to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import SettingsError

LARGE = 2048
"""Longer side in pixels beyond which a plane is looked at in tiles."""


@dataclass(frozen=True)
class LookSettings:
    """How planes are to be looked at, when all their objects are wanted.

    Attributes
    ----------
    proposals
        Which objects count.
    recipe
        How channels become RGB.
    resolution
        Longer side in pixels at which the model sees a plane; None leaves it to the
        model and the image.
    passes
        As for `Colorer.color`.
    tile
        Side in pixels of what is looked at at once. None chooses it, for planes with a
        side of more than 2048 pixels; 0 looks at every plane as a whole.
    overlap
        By how many pixels neighboring tiles overlap; None reads it off the map.
    method
        Who draws the outlines, see `models.probes.find_candidates`.
    """

    proposals: ProposalSettings = field(default_factory=ProposalSettings)
    recipe: RgbRecipe | None = None
    resolution: int | None = None
    passes: int = 1
    tile: int | None = None
    overlap: int | None = None
    method: str | None = None

    def in_tiles(self, shape: Sequence[int]) -> bool:
        """Whether planes of so many rows and columns are too large for one look."""
        return self.tile != 0 and max(shape) > (self.tile or LARGE)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.tile is not None and self.tile != 0 and self.tile < 64:
            raise SettingsError(
                f"The tile is {self.tile}; it must be at least 64 pixels, 0 for none, "
                "or None to have it chosen."
            )
        if self.overlap is not None and not self.overlap >= 2:
            raise SettingsError(
                f"The overlap is {self.overlap}; it must be at least 2 pixels, or None "
                "to have it chosen."
            )
