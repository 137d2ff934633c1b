"""Where an object of a stack shrinks and grows again, another one begins."""

from __future__ import annotations

import numpy as np

_NECK = 0.5  # of the smaller side's largest plane: what is smaller between is a neck


def convex_runs(course: list[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Part the planes of an object where it shrinks and grows again.

    Parameters
    ----------
    course
        Of each plane its place, the object's area there, and how badly that is linked
        with the plane before: 1 less their IoU, say.

    Returns
    -------
    list
        (first, last) of each part, half open, in their order.
    """
    areas = np.array([area for _, area, _ in course])
    if len(areas) < 3:
        return [(0, len(areas))]
    before = np.maximum.accumulate(areas)[:-2]
    behind = np.maximum.accumulate(areas[::-1])[::-1][2:]
    shares = areas[1:-1] / np.minimum(before, behind)
    neck = int(np.argmin(shares)) + 1
    if shares[neck - 1] >= _NECK:
        return [(0, len(areas))]
    # The worse of the two links at the neck is where one ends and the next begins.
    cut = neck if course[neck][2] >= course[neck + 1][2] else neck + 1
    ahead = convex_runs(course[:cut])
    rest = convex_runs(course[cut:])
    return [*ahead, *((first + cut, last + cut) for first, last in rest)]
