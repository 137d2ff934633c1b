"""Find similar: which objects look like some, and unlike others?

By facts (size, shape, brightness, texture), which mean the same on another plane and in
another image; colors of a map do not. The score is that of relevance feedback by
nearest neighbors (Giacinto, CIVR 2007): the distance to the nearest example that was
dropped, as a share of that and the distance to the nearest that was kept.
"""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Float64Array
from napari_gen2seg.core.objects.measure import MEASURES, Appearance
from napari_gen2seg.errors import DataError

TRAITS = ("size", "slimness", "solidity", "brightness", "variation", "texture")
"""What is compared, in the order of `traits`."""

# How far two like objects may differ in each, whatever the others do.
_LEAST = np.asarray([0.15, 0.1, 0.02, 0.03, 0.02, 0.02])
_FAR = 2.0  # spreads: as unlike as an example that was dropped
_SPREAD = 1.4826  # of a normal distribution's median deviation
_FIRM = 4  # kept examples from which on their own spread counts
_HEED = 0.5, 2.0  # least and most that a trait counts for it


def traits(measures: Float64Array, image: Appearance | None = None) -> Float64Array:
    """Return what objects are compared by, (n, `TRAITS`), of whatever image.

    Parameters
    ----------
    measures
        float64 (n, `MEASURES`).
    image
        The image they were measured on, by whose range brightness is comparable; the
        range is 0..1 if not given.

    Returns
    -------
    numpy.ndarray
        float64 (n, `TRAITS`); NaN where it was not measured.
    """
    at = {name: measures[:, index] for index, name in enumerate(MEASURES)}
    low, span = (0.0, 1.0) if image is None else (image.low, image.high - image.low)
    span = span or 1.0
    # A line of one pixel has no width.
    width = np.maximum(at["width"], 1.0)
    return np.stack(
        [
            np.log(at["diameter"]),
            np.log(np.maximum(at["length"], width) / width),
            at["solidity"],
            (at["mean"] - low) / span,
            at["std"] / span,
            at["texture"] / span,
        ],
        axis=1,
    )


def similarity(
    candidates: Float64Array, kept: Float64Array, dropped: Float64Array | None = None
) -> Float64Array:
    """Rate how much objects look like those kept and unlike those dropped.

    Parameters
    ----------
    candidates
        float64 (n, `TRAITS`), from `traits`.
    kept
        float64 (k, `TRAITS`), at least one.
    dropped
        float64 (d, `TRAITS`); none if not given.

    Returns
    -------
    numpy.ndarray
        float64 (n,), 0..1: 1 like one that was kept, 0 like one that was dropped, 0.5
        in the middle. What is two spreads of the candidates away from all that was kept
        counts as near the middle at most.

    Raises
    ------
    DataError
        If nothing was kept, or the columns differ.
    """
    count = candidates.shape[-1]
    if dropped is None:
        dropped = np.zeros((0, count))
    shapes = {"kept": kept.shape, "dropped": dropped.shape}
    if kept.shape[-1] != count or dropped.shape[-1] != count or not len(kept):
        raise DataError(
            f"The candidates have {count} traits and the examples the shapes {shapes}; "
            "the traits must be the same, and at least one example must be kept."
        )
    everything = np.concatenate([candidates, kept, dropped])
    known = ~np.isnan(everything).any(axis=0)
    scale = _scale(everything)[known]
    if len(kept) >= _FIRM:
        # Where what was kept agrees more than all do, that is what it was kept for.
        scale = scale / np.clip(scale / _scale(kept)[known], *_HEED)
    near = _nearest(candidates[:, known] / scale, kept[:, known] / scale)
    far = _nearest(candidates[:, known] / scale, dropped[:, known] / scale)
    # An object just like a kept one is like it, whatever else it is like.
    far = np.minimum(far, _FAR)
    return np.asarray(
        np.where(near + far > 0, far / np.maximum(near + far, 1e-12), 0.5)
    )


def _scale(values: Float64Array) -> Float64Array:
    """Return the robust spread of each trait, no less than that of like objects."""
    middle = np.median(values, axis=0)
    spread = _SPREAD * np.median(np.abs(values - middle), axis=0)
    return np.maximum(spread, _LEAST[: values.shape[1]])


def _nearest(points: Float64Array, examples: Float64Array) -> Float64Array:
    """Return the root mean square distance to the nearest example, (n,)."""
    from scipy.spatial import KDTree

    if not len(examples) or not points.shape[1]:
        return np.full(len(points), np.inf if not len(examples) else 0.0)
    return np.asarray(KDTree(examples).query(points)[0] / np.sqrt(points.shape[1]))
