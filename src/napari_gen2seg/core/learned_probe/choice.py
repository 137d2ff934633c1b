"""Similarity or learned: which probe answers the clicks on a map, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_gen2seg.errors import SettingsError

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring

SIMILARITY, LEARNED = "similarity", "learned"
METHODS = (SIMILARITY, LEARNED)


def default_method(coloring: Coloring) -> str:
    """Return what answers clicks on a map where nobody chose.

    The learned probe where it was measured on the maps of this model, else similarity.
    """
    measured = coloring.learned_probe is not None
    return LEARNED if measured and coloring.image is not None else SIMILARITY


def possible_method(coloring: Coloring, method: str | None) -> str:
    """Return a chosen method, the default for None, and similarity without an image.

    Raises
    ------
    SettingsError
        If there is no such method.
    """
    if method is None:
        return default_method(coloring)
    if method not in METHODS:
        raise SettingsError(
            f'The probe is {method!r}; it must be "similarity" or "learned".'
        )
    return SIMILARITY if coloring.image is None else method


def reason_for_similarity(coloring: Coloring, method: str | None) -> str:
    """Return why similarity answers although the learned probe was chosen, or ""."""
    if method == LEARNED and coloring.image is None:
        return (
            "This map was saved without its image, which the learned probe reads: "
            "similarity answers. Color the image again for the learned one."
        )
    return ""
