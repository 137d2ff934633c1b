"""What napari compiles for its first overlay, compiled before there is one.

The colors of our overlays are looked up in a dictionary of numba's, whose code is
compiled in every process when the first value is put in: seconds in Qt's thread, just
when the coloring appears. So it is done on a worker thread, while a person still looks
for the picture, or waits for the model's library.

Only the dictionary. A layer made here would meet the one that Qt's thread makes in
pint's registry of units, which is filled by whoever asks first; and of numba's parallel
loops two at a time end the process where it has no threads of its own (workqueue).
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import numpy as np


@cache
def warm_up() -> None:
    """Have it compiled, once a process; without numba there is nothing to compile."""
    with suppress(ImportError):
        from numba import typed, types

        known = typed.Dict.empty(types.uint8, types.uint8)  # value -> color
        known[np.uint8(1)] = np.uint8(1)
