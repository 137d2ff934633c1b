"""Instances that a model found itself, beside its map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_gen2seg.common.types import Float32Array, Int32Array
from napari_gen2seg.errors import ImageError

#: Instances with a smaller score are not proposed. AP at 0.5 on validation images of
#: eleven sets: 0.40 with 0.15, 0.43 with 0.25, 0.44 with 0.35.
INSTANCE_SCORE = 0.35


@dataclass(frozen=True, eq=False)
class Instances:
    """Instances found without a click; they do not overlap.

    Attributes
    ----------
    labels
        int32 (h, w), 0 background, else 1 to n; read-only.
    scores
        float32 (n,), of labels 1 to n, 0..1: how much each looks like one whole object;
        read-only.
    """

    labels: Int32Array
    scores: Float32Array

    def __post_init__(self) -> None:
        labels = np.ascontiguousarray(self.labels, np.int32)
        scores = np.ascontiguousarray(self.scores, np.float32)
        if labels.ndim != 2 or scores.ndim != 1:
            raise ImageError(
                f"The instances have labels of the shape {labels.shape} and scores of "
                f"{scores.shape}; they must be (rows, columns) and (instances,)."
            )
        if labels.min(initial=0) < 0 or labels.max(initial=0) > len(scores):
            raise ImageError(
                f"The instances are labeled {labels.min()} to {labels.max()} and have "
                f"{len(scores)} scores; labels must be 0 to the number of scores."
            )
        for name, array in (("labels", labels), ("scores", scores)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.scores)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the arrays read-only again, which pickles do not keep."""
        for name, value in state.items():
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.labels.nbytes + self.scores.nbytes)
