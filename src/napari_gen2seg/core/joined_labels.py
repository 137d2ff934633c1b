"""Labels of one image that lie in several layers become one set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import LabelArray

SAME = 0.5  # share of either of two objects, beyond which one replaces the other


def join_labels(sets: Sequence[LabelArray]) -> npt.NDArray[np.int64]:
    """Put sets of labels of one image together; where two overlap, the later counts.

    An object that shares more than half of itself with a later one, or more than half
    of the later one, was corrected: nothing of it is left. Any other keeps what later
    ones leave of it.

    Parameters
    ----------
    sets
        One or more of (H, W) whole numbers: objects from 1, 0 for nothing, -1 for
        unknown.

    Returns
    -------
    ndarray
        (H, W); objects are numbered anew, from 1 without gaps.
    """
    joined, count = _numbered(sets[0])
    for labels in sets[1:]:
        new, more = _numbered(labels)
        over = new > 0
        both = over & (joined > 0)
        # As one number for each pair: sorting pairs takes many times as long.
        codes, shared = np.unique(
            joined[both] * (more + 1) + new[both], return_counts=True
        )
        older, newer = np.divmod(codes, more + 1)
        sizes = np.bincount(np.maximum(joined, 0).ravel(), minlength=count + 1)
        rivals = np.bincount(np.maximum(new, 0).ravel(), minlength=more + 1)
        smaller = np.minimum(sizes[older], rivals[newer])
        joined[np.isin(joined, older[shared > SAME * smaller])] = 0
        joined[over] = new[over] + count
        joined, count = _numbered(joined)
    return joined


def _numbered(labels: LabelArray) -> tuple[npt.NDArray[np.int64], int]:
    """Number objects from 1 without gaps; return how many there are too."""
    ids, place = np.unique(np.asarray(labels), return_inverse=True)
    first = int(np.count_nonzero(ids <= 0))
    table = np.concatenate(
        [np.where(ids[:first] < 0, -1, 0), np.arange(1, ids.size - first + 1)]
    ).astype(np.int64)
    return table[place.reshape(np.shape(labels))], ids.size - first
