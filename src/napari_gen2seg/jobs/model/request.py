"""One plane through one model, in whichever process the model lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_gen2seg.core.image.rgb import is_constant, to_rgb
from napari_gen2seg.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.colorer import Colorer


def paint(
    colorer: Colorer,
    pixels: npt.NDArray[Any],
    recipe: RgbRecipe,
    resolution: int | None,
    *,
    passes: int = 1,
    progress: Callable[[float | None, str], None],
    cancel: Callable[[], bool],
) -> Coloring:
    """Colour a plane as its recipe says.

    Parameters
    ----------
    colorer
        A loaded model.
    pixels
        (H, W) or (H, W, C), as the layer holds them.
    recipe
        How they become RGB.
    resolution
        Longer side in pixels for the model, or None.
    passes, progress, cancel
        As for `Colorer.color`.

    Raises
    ------
    ImageError
        If the picture cannot be used, or holds nothing to colour.
    """
    rgb = to_rgb(pixels, recipe)
    if is_constant(rgb):
        raise ImageError(
            f"The picture holds a single value on all of its {rgb.shape[0]} x "
            f"{rgb.shape[1]} pixels; there must be something to colour. Choose "
            "another plane or channel, or other contrast limits."
        )
    progress(None, "Colouring")
    return colorer.color(
        rgb, resolution, passes=passes, progress=progress, cancel=cancel
    )
