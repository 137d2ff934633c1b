"""Array types of the whole package, and the size of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Any array of numbers.
Array = npt.NDArray[Any]

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Int32Array = npt.NDArray[np.int32]

#: Whole numbers, an object each; 0 is background.
LabelArray = npt.NDArray[Any]

#: Height and width in pixels.
Shape = tuple[int, int]
