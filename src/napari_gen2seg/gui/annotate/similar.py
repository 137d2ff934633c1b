"""Find similar: the proposals that look like what was kept, rated behind the window.

By facts (size, shape, brightness, texture), which hold for other planes and images too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.core.objects.measure import (
    MEASURES,
    Appearance,
    measure_labels,
    measure_masks,
)
from napari_gen2seg.core.objects.similar import similarity, traits
from napari_gen2seg.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_gen2seg.common.types import Array, Float64Array, LabelArray
    from napari_gen2seg.core.candidates import CandidateSet


@dataclass(frozen=True, eq=False)
class Examples:
    """Traits of objects that were kept, and of proposals that were dropped.

    Attributes
    ----------
    kept, dropped
        float64 (k, `TRAITS`) and (d, `TRAITS`).
    """

    kept: Float64Array
    dropped: Float64Array


@dataclass(frozen=True, eq=False)
class Rated:
    """Candidates of a plane, as far as they were rated.

    Attributes
    ----------
    image
        What they are seen on.
    traits
        float64 (n, `TRAITS`).
    likeness
        float64 (n,), 0..1.
    examples
        By which.
    """

    image: Appearance
    traits: Float64Array
    likeness: Float64Array
    examples: Examples


def rate(
    candidates: CandidateSet,
    labels: LabelArray | None,
    numbers: Sequence[int],
    dropped: Sequence[int],
    read: Callable[[], Array],
    before: Rated | None = None,
    elsewhere: Examples | None = None,
) -> Rated:
    """Rate candidates by how much they look like objects that were kept.

    Parameters
    ----------
    candidates
        All of a plane.
    labels
        int (H, W), what is kept there.
    numbers
        The objects that count; all of them if empty.
    dropped
        Candidates that were refused.
    read
        Returns the image, (H, W) or (H, W, channels).
    before
        Of an earlier call for the same candidates, so that they are measured once.
    elsewhere
        Examples of another plane or image, for where none was kept yet.

    Raises
    ------
    PromptError
        If nothing was kept, here or elsewhere.
    """
    image = Appearance.of(read()) if before is None else before.image
    if before is None:
        known = traits(measure_masks(candidates.masks, image), image)
    else:
        known = before.traits
    refused = known[list(dropped)]
    examples = _examples(labels, numbers, refused, image) or elsewhere
    if examples is None:
        raise PromptError("Keep one or a few first; then find what is like them.")
    if examples is elsewhere:
        refused = np.concatenate([examples.dropped, refused])
    likeness = similarity(known, examples.kept, refused)
    return Rated(image, known, likeness, examples)


def _examples(
    labels: LabelArray | None, numbers: Sequence[int], dropped: Any, image: Appearance
) -> Examples | None:
    if labels is None:
        return None
    if numbers:
        labels = np.where(np.isin(labels, list(numbers)), labels, 0)
    measures = measure_labels(labels, image)[1]
    if not len(measures):
        return None
    return Examples(traits(measures.reshape(-1, len(MEASURES)), image), dropped)
