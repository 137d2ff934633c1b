"""A `Colorer` whose model is held by somebody else: what all of those share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_gen2seg.common.progress import Cancel, Progress
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.spec import ModelSpec


class LoadedFacts(Protocol):
    """What a loaded model says of itself; see `Colorer`."""

    @property
    def device(self) -> str: ...  # noqa: D102
    @property
    def dtype(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def spec(self) -> ModelSpec: ...  # noqa: D102


class ColorOptions(TypedDict):
    """How an image is colored; see `Colorer.color`."""

    resolution: int | None
    recipe: RgbRecipe | None
    passes: int


class ForwardingColorer(ABC):
    """Passes on what is asked to where the model is.

    Parameters
    ----------
    facts
        What the model says of itself; set anew by each answer.
    """

    def __init__(self, facts: LoadedFacts) -> None:
        self._facts = facts

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._facts.device

    @property
    def dtype(self) -> str:
        """Number type."""
        return self._facts.dtype

    @property
    def reason(self) -> str:
        """Why this device and number type, for people."""
        return self._facts.reason

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done about short memory, in order."""
        return self._facts.notes

    @property
    def spec(self) -> ModelSpec:
        """The model's facts."""
        return self._facts.spec

    def color(
        self,
        image: Any,
        resolution: int | None = None,
        *,
        recipe: RgbRecipe | None = None,
        passes: int = 1,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Coloring:
        """Color one image; see `napari_gen2seg.models.colorer.Colorer.color`."""
        options = ColorOptions(resolution=resolution, recipe=recipe, passes=passes)
        return self._color(image, options, progress, cancel)

    def predict_rgb(
        self, rgb: NDArray[np.float32], resolution: int
    ) -> NDArray[np.float32]:
        """Return the map (h, w, 3) in 0..255 of one RGB (H, W, 3) in 0..1."""
        return self.predict_many([rgb], resolution)[0]

    @abstractmethod
    def _color(
        self,
        image: Any,
        options: ColorOptions,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> Coloring:
        """Have one image colored."""

    @abstractmethod
    def predict_many(
        self, images: Sequence[NDArray[np.float32]], resolution: int
    ) -> list[NDArray[np.float32]]:
        """Return the maps of several RGB images; equal sizes go as one batch."""

    @abstractmethod
    def unload(self) -> None:
        """Free the memory."""
