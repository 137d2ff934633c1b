"""What every loaded model can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from napari_gen2seg.core.image.checks import MIN_SIDE, is_constant
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_gen2seg.common.progress import Cancel, Progress
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.spec import ModelSpec


@runtime_checkable
class Colorer(Protocol):
    """A loaded model: image in, `Coloring` out."""

    @property
    def device(self) -> str:
        """Where it computes: ``"cuda"``, ``"mps"`` or ``"cpu"``."""
        ...

    @property
    def dtype(self) -> str:
        """Number type: ``"float32"``, ``"bfloat16"`` or ``"float16"``."""
        ...

    @property
    def reason(self) -> str:
        """Why this device and number type, and what was changed since, for people."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done about short memory, in order; empty when nothing was."""
        ...

    @property
    def spec(self) -> ModelSpec:
        """What is known of the model; ``revision`` is the commit really used."""
        ...

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
        """Color one image.

        Parameters
        ----------
        image
            H x W or H x W x 3, uint8, uint16 or float in 0..1; with a recipe H x W or
            H x W x C of any real type, as a layer or a file holds it.
        resolution
            Longer side in pixels at which the model sees it; None lets the model
            and the picture decide.
        recipe
            How the channels become RGB; see `model_input` for what it changes.
        passes
            Test-time augmentation, 1, 2 or 4: how many of the picture and its mirror
            images the model sees. More give better masks and take as many times
            longer.
        progress, cancel
            Called, and asked, between the stages.

        Raises
        ------
        ImageError
            If the picture cannot be used or, with a recipe, holds nothing to colour.
        SettingsError
            If the resolution or the number of passes cannot be used.
        MemoryShortError
            If it does not fit, even after every fall-back.
        Cancelled
            If ``cancel`` said so.
        """
        ...

    def predict_rgb(
        self, rgb: NDArray[np.float32], resolution: int
    ) -> NDArray[np.float32]:
        """Return the map (h, w, 3) in 0..255 of one RGB (H, W, 3) in 0..1."""
        ...

    def predict_many(
        self, images: Sequence[NDArray[np.float32]], resolution: int
    ) -> list[NDArray[np.float32]]:
        """Return the maps of several RGB images; equal sizes go as one batch."""
        ...

    def unload(self) -> None:
        """Free the memory. The colorer cannot be used afterwards."""
        ...


def model_input(image: Any, recipe: RgbRecipe | None = None) -> NDArray[np.float32]:
    """Return the RGB that a model sees, the image being checked here and only here.

    Parameters
    ----------
    image, recipe
        As for `Colorer.color`. Without a recipe a plane of a single value becomes an
        even grey, for stacks have blank planes; who names a recipe looks at this very
        plane and is told.

    Returns
    -------
    numpy.ndarray
        float32 (H, W, 3) in 0..1.

    Raises
    ------
    ImageError
        If the image cannot be used or, with a recipe, holds a single value.
    """
    rgb = image if recipe is None and _is_model_input(image) else to_rgb(image, recipe)
    if recipe is not None and is_constant(rgb):
        raise ImageError(
            f"The picture holds a single value on all of its {rgb.shape[0]} x "
            f"{rgb.shape[1]} pixels; there must be something to color. Choose "
            "another plane or channel, or other contrast limits."
        )
    return rgb


def _is_model_input(image: Any) -> bool:
    """Whether an image is RGB already, so that a large one need not be made twice."""
    import numpy as np

    return (
        isinstance(image, np.ndarray)
        and image.dtype == np.float32
        and image.ndim == 3
        and image.shape[2] == 3
        and min(image.shape[:2]) >= MIN_SIDE
        and image.flags.c_contiguous
        and not is_constant(image)
        and bool(image.min() >= 0 and image.max() <= 1)
    )
