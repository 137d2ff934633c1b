"""A proposal under the pointer: how it is lit, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.core.objects.keep import whole_part
from napari_gen2seg.session.preview import ADDED, source_area
from napari_gen2seg.session.state import Preview

if TYPE_CHECKING:
    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.core.objects.review import Review
    from napari_gen2seg.core.probe.mask import Mask


def preview_of(mask: Mask, labels: LabelArray | None) -> Preview:
    """Return a proposal as it is lit; of its pixels those that are free count.

    Parameters
    ----------
    mask
        The proposal.
    labels
        int (H, W), what is kept on its plane; None where that is nothing.
    """
    crop, (row, col) = mask.window()  # known, since its outline was drawn
    if labels is not None:
        here = labels[row : row + crop.shape[0], col : col + crop.shape[1]]
        crop = whole_part(crop, here != 0)
    return Preview(
        mask.crop.astype(np.uint8) * np.uint8(ADDED),
        (mask.bbox[0], mask.bbox[1]),
        mask.tolerance,
        mask.score,
        source_area(mask),
        pixels=int(np.count_nonzero(crop)),
    )


def words_of(review: Review, index: int, doubted: bool = False) -> str:
    """Say what a proposal is, and why it is doubtful, or that nothing says so."""
    said = ", ".join(review.reasons(index))
    if doubted and not said:
        said = "nothing speaks against it"
    score = f"Proposal, certainty {review.candidates.scores[index]:.2f}"
    return f"{score}{f': {said}' if said else ''}. Enter keeps it, D drops it."
