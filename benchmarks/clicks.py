"""What benchmarks do with the click protocol: studies of label images, their means.

The clicks themselves are `napari_gen2seg.metrics.click_protocol`, as for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from napari_gen2seg.metrics.click_protocol import (
    CAP,
    WANTED,
    Answer,
    ObjectClicks,
    click_study,
    clicks_to,
    object_labels,
)

UNTIL = WANTED[0]
"""IoU to which clicks are counted, where they are."""


def click_labels(
    answer: Answer,
    labels: npt.NDArray[np.integer],
    name: str = "",
    *,
    most: int | None = None,
    corrections: bool = False,
) -> list[ObjectClicks]:
    """Click on the objects of one label image.

    Parameters
    ----------
    answer
        Turns clicks into a mask.
    labels
        Ground truth, (H, W); 0 background, negative unknown.
    name
        Of the image; goes into the seeds.
    most
        At most this many objects.
    corrections
        Also correct each object until it fits.
    """
    objects = (
        (number, labels == number) for number in object_labels(labels, most=most)
    )
    return list(
        click_study(answer, name, objects, until=UNTIL if corrections else None)
    )


def summary(results: Iterable[ObjectClicks]) -> dict[str, float]:
    """Return means over objects.

    Keys: ``objects``, ``centre``, ``off_centre``, ``centre_50``, ``centre_75`` (shares
    of objects at or above these IoU) and, where counted, ``clicks`` and ``never``.
    """
    rows = list(results)
    if not rows:
        return {"objects": 0}
    center = np.asarray([row.center for row in rows])
    out = {
        "objects": float(len(rows)),
        "centre": float(center.mean()),
        "off_centre": float(np.mean([row.off_center for row in rows])),
        "centre_50": float((center >= 0.5).mean()),
        "centre_75": float((center >= 0.75).mean()),
    }
    counted = [clicks_to(row.trace, UNTIL, CAP) for row in rows if row.trace]
    if counted:
        out["clicks"] = float(np.mean([clicks for clicks, _ in counted]))
        out["never"] = float(np.mean([not reached for _, reached in counted]))
    return out


def touching_pairs(labels: npt.NDArray[np.integer]) -> list[tuple[int, int]]:
    """Return the pairs of objects with pixels side by side (4-neighbours)."""
    pairs: set[tuple[int, int]] = set()
    for a, b in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        meet = (a != b) & (a > 0) & (b > 0)
        low, high = np.minimum(a[meet], b[meet]), np.maximum(a[meet], b[meet])
        pairs.update(zip(low.tolist(), high.tolist(), strict=True))
    return sorted(pairs)


def touching_score(
    values: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
    tolerance: Callable[[int], float],
) -> tuple[int, int]:
    """Count the touching pairs a map tells apart.

    A pair counts when its mean colours differ by more than the larger of the
    tolerances the probe chose for its two objects.

    Parameters
    ----------
    values
        Map, (H, W, 3) in 0..255, at the size of ``labels``.
    labels
        Ground truth, (H, W).
    tolerance
        Colour units the probe chooses for an object of that label.

    Returns
    -------
    (told apart, pairs)
    """
    pairs = touching_pairs(labels)
    if not pairs:
        return 0, 0
    flat = np.maximum(labels, 0).ravel().astype(np.int64)
    size = np.bincount(flat)
    mean = np.stack(
        [
            np.bincount(flat, values[..., c].ravel()) / np.maximum(size, 1)
            for c in range(3)
        ],
        -1,
    )
    chosen = {i: tolerance(i) for i in {i for pair in pairs for i in pair}}
    apart = sum(
        float(np.linalg.norm(mean[i] - mean[j])) > max(chosen[i], chosen[j])
        for i, j in pairs
    )
    return apart, len(pairs)
