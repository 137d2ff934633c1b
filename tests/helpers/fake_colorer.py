"""The one stand-in for a model: a colorer without a network.

What it paints is a function from RGB to a map, so that a test knows the map beforehand;
what happens while it paints (a gate, a print, a cancel) is another.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image.rgb import RgbRecipe, rgb_key
from napari_gen2seg.core.map.brightness import brightness_channel
from napari_gen2seg.models.base_colorer import check_passes
from napari_gen2seg.models.colorer import model_input
from napari_gen2seg.models.spec import ModelSpec

Draw = Callable[[NDArray[Any]], NDArray[Any]]


def blobs(rgb: NDArray[Any]) -> NDArray[Any]:
    """Paint each bright blob in a hue of its own on black; float (H, W, 3) 0..255.

    The same image is painted once: most tests look at the same coins.
    """
    return _blobs(rgb.tobytes(), rgb.shape, rgb.dtype.str)


@lru_cache(maxsize=16)
def _blobs(data: bytes, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    # Late: a process that serves another map need not wait for these.
    from scipy import ndimage
    from skimage.filters import gaussian, threshold_otsu
    from skimage.segmentation import watershed

    rgb = np.frombuffer(data, dtype).reshape(shape)
    gray = gaussian(rgb.mean(axis=-1), 2)
    gray = gray - gaussian(gray, max(rgb.shape[:2]) / 8)
    front = ndimage.binary_fill_holes(gray > threshold_otsu(gray))
    depth = gaussian(ndimage.distance_transform_edt(front), 2)
    peaks = (ndimage.maximum_filter(depth, 21) == depth) & (depth > 3)
    labels = watershed(-depth, ndimage.label(peaks)[0], mask=front)
    hues = [
        colorsys.hsv_to_rgb((7 * i * 0.618) % 1, 0.9, 1.0)
        for i in range(labels.max() + 1)
    ]
    table = np.array(hues) * 255
    table[0] = 0
    colors = table[labels]
    painted = np.stack(
        [ndimage.gaussian_filter(colors[..., i], 0.7) for i in range(3)], -1
    )
    painted.flags.writeable = False
    return painted


def as_it_is(rgb: NDArray[Any]) -> NDArray[Any]:
    """Paint the image itself; float (H, W, 3) 0..255."""
    return np.clip(rgb * 255, 0, 255)


class FakeColorer:
    """Stands in for a loaded model (`napari_gen2seg.Colorer`).

    Parameters
    ----------
    draw
        RGB (h, w, 3) in 0..1 -> map (h', w', 3) in 0..255.
    name
        Its id, in `spec` and in the colorings.
    device
        What it says it runs on.
    side
        Longer side in pixels at which it sees an image unless asked for another, as a
        model has one; None: the image as it is, whatever is asked.
    on_black
        Whether the background of its maps is black.
    brightness
        Whether its maps carry the brightness of the image, where that says something.
    spec
        Its facts, where made-up ones do not do.
    meanwhile
        Called with ``cancel`` in the middle of each coloring.

    Attributes
    ----------
    seen
        The images, one a call.
    asked
        The resolutions, one a call.
    unloaded
        Whether `unload` was called.
    """

    dtype = "float32"
    reason = "This computer has no GPU that torch can use."
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        draw: Draw = blobs,
        name: str = "fake",
        device: str = "cpu",
        *,
        side: int | None = 512,
        on_black: bool = True,
        brightness: bool = False,
        spec: ModelSpec | None = None,
        meanwhile: Callable[[Any], object] | None = None,
    ) -> None:
        self.draw, self.name, self.device = draw, name, device
        self.side, self.on_black, self.brightness = side, on_black, brightness
        self.meanwhile = meanwhile
        self.spec = spec or ModelSpec(name, "sd", name, "folder", "none")
        self.seen: list[NDArray[Any]] = []
        self.asked: list[int | None] = []
        self.unloaded = False

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the images seen."""
        return [image.shape for image in self.seen]

    def color(
        self,
        image: Any,
        resolution: int | None = None,
        *,
        recipe: RgbRecipe | None = None,
        passes: int = 1,
        progress: Any = None,
        cancel: Any = None,
    ) -> Coloring:
        rgb = image if recipe is None else model_input(image, recipe)
        self.seen.append(rgb)
        self.asked.append(resolution)
        if self.meanwhile is not None:
            self.meanwhile(cancel)
        if progress is not None:
            progress(0.5, "Painting")
        size = resolution or self.side
        small = rgb if self.side is None else _shrunk(rgb, size)
        maps = [np.clip(self.draw(small), 0, 255)]
        if passes > 1:
            maps += [
                np.flip(np.clip(self.draw(np.flip(small, axes)), 0, 255), axes)
                for axes in check_passes(passes)
            ]
        if self.brightness:
            gray = np.asarray(small, np.float32).mean(-1)
            channel = brightness_channel(maps[0].astype(np.float32), gray)
            if channel is not None:
                maps.append(channel[..., None])
        made = Coloring.from_array(maps[0], rgb.shape[:2], model_id=self.name)
        return replace(
            made,
            resolution=size or max(rgb.shape[:2]),
            source_key=rgb_key(rgb),
            black_background=self.on_black,
            extra_maps=np.concatenate(maps[1:], axis=-1) if maps[1:] else None,
        )

    def unload(self) -> None:
        self.unloaded = True


def _shrunk(rgb: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the image with a longer side of at most ``side`` pixels."""
    from skimage.transform import resize

    height, width = rgb.shape[:2]
    factor = min(1.0, side / max(height, width))
    shape = (round(height * factor), round(width * factor))
    shrunk: NDArray[Any] = resize(rgb, shape, anti_aliasing=True)
    return shrunk
