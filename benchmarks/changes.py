"""What a change of the probe does to clicks, kind by kind (for other benchmarks)."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import numpy as np

CHANGED = 0.02
"""IoU by which a mask must differ to count as better or worse."""


def print_changes(rows: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Print mean IoU without and with, and how many clicks got better and worse.

    Parameters
    ----------
    rows
        For each kind of picture, IoU of the same clicks without and with.
    """
    sys.stdout.write(f"{'kind':24} clicks  without   with  better  worse\n")
    for kind, pairs in rows.items():
        without, with_ = np.array(pairs).T
        sys.stdout.write(
            f"{kind:24} {len(pairs):6} {without.mean():8.3f} {with_.mean():6.3f} "
            f"{(with_ > without + CHANGED).sum():7} "
            f"{(with_ < without - CHANGED).sum():6}\n"
        )
