"""State values that a session holds and hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_gen2seg.core.image.rgb import RgbRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Choice:
    """Which model to use, and how.

    Parameters
    ----------
    model
        Id for `load_model`.
    device, dtype
        ``"auto"`` or a name that `load_model` takes.
    resolution
        Longer side in pixels at which to colour; None leaves it to the model.
    passes
        How many of the image and its mirror images the model sees: 1, 2 or 4.
    licence_accepted
        Whether the person accepted the terms of this very model.
    """

    model: str = "mini"
    device: str = "auto"
    dtype: str = "auto"
    resolution: int | None = None
    passes: int = 1
    licence_accepted: bool = False

    @property
    def loaded_as(self) -> tuple[str, str, str]:
        """What decides whether the model must be loaded anew."""
        return self.model, self.device, self.dtype


@dataclass(frozen=True)
class ColorRequest:
    """One plane to be colored.

    Parameters
    ----------
    view
        Names the plane and is the key of its coloring; any hashable value.
    source
        Names the layer it belongs to, so that it can be forgotten with it.
    read
        Returns the plane's pixels, (H, W) or (H, W, C); called off the main
        thread, because lazy arrays may take their time.
    recipe
        How the channels become RGB.
    inputs
        Whatever else decides the pixels, such as the layers that give colours.
    size
        (H, W) in pixels, where that is known before they are read: how long a map
        takes is expected from maps of the same size.
    """

    view: Hashable
    source: str
    read: Callable[[], npt.NDArray[Any]] = field(compare=False)
    recipe: RgbRecipe = field(default_factory=RgbRecipe)
    inputs: Hashable = ()
    size: tuple[int, int] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class JobState:
    """What the lane is doing, for a progress bar.

    Parameters
    ----------
    running
        Whether a person is waiting for something.
    fraction
        0..1, or None when unknown.
    text
        What it is doing, in a few words.
    view
        What is colored; None where it is about nothing in particular.
    expected
        How many seconds it takes from start to end, as it took lately; None where
        nobody knows.
    """

    running: bool = False
    fraction: float | None = None
    text: str = ""
    view: Hashable | None = None
    expected: float | None = None


@dataclass(frozen=True)
class ModelState:
    """What is known of the chosen model.

    Parameters
    ----------
    choice
        What was asked for.
    loaded
        Whether it is in memory.
    device, dtype, reason
        What it really runs on and why; empty until loaded.
    """

    choice: Choice = field(default_factory=Choice)
    loaded: bool = False
    device: str = ""
    dtype: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Preview:
    """A mask to be shown, cut to where it is.

    Parameters
    ----------
    array
        uint8 (h, w): 0 nothing, 1 in the mask, 2 would be added by the pointer,
        3 would be taken away by it.
    offset
        Row and column of ``array[0, 0]`` in the coloring.
    tolerance
        The tolerance used, colour units.
    score
        0..1: how clear-cut the mask is.
    area
        About how many pixels the mask has at source size, from those of the map.
    exact
        False where it is shown for now: in coarse blocks, or by similarity while the
        learned probe has not answered.
    refused
        How many times as large the mask would be, had the last click been insisted on;
        NaN where it had all that it asked for.
    method
        Which probe found it.
    pixels
        How many pixels the mask has at source size; None where nobody counted.
    background
        Whether the clicks, or the pointer before any click, lie on what the model takes
        for background. Without a click there is nothing to show then.
    """

    array: npt.NDArray[np.uint8]
    offset: tuple[int, int]
    tolerance: float
    score: float
    area: float
    exact: bool = True
    refused: float = float("nan")
    method: str = "similarity"
    pixels: int | None = None
    background: bool = False
