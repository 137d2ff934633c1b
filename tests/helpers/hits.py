"""How many objects of two label images are the same."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.metrics.matching import match, overlaps


def recall_and_precision(
    labels: np.ndarray, found: np.ndarray, threshold: float = 0.5
) -> tuple[float, float]:
    """Return the shares of true and of found objects with a partner.

    Parameters
    ----------
    labels, found
        int (H, W), 0 = background.
    threshold
        Smallest IoU of a pair.
    """
    table = overlaps(labels, found).table
    hits = len(match(table, threshold))
    return hits / max(table.shape[0], 1), hits / max(table.shape[1], 1)
