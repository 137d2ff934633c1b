"""A large plane whose objects are known, and a colorer that sees each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.map.instances import Instances
from napari_gen2seg.models.spec import ModelSpec

LEVELS = 12


def sheet(side: int, diameter: int = 14, seed: int = 0) -> NDArray[np.uint8]:
    """Draw discs on black that do not touch, each of one of some gray levels.

    Two that are neighbors never have the same; 255 is there once, so that the contrast
    of a window is not that of the plane.
    """
    rng = np.random.default_rng(seed)
    pitch = diameter + 6
    count = side // pitch
    image = np.zeros((side, side), np.uint8)
    rows, columns = np.mgrid[:pitch, :pitch]
    for row in range(count):
        for column in range(count):
            radius = diameter / 2 * rng.uniform(0.7, 1.0)
            middle = pitch / 2 + rng.uniform(-1, 1, 2)
            apart = (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2
            level = 40 + 15 * ((3 * row + column + rng.integers(2) * 6) % LEVELS)
            place = image[row * pitch :, column * pitch :][:pitch, :pitch]
            place[(apart <= radius**2)[: place.shape[0], : place.shape[1]]] = level
    image[-1, -1] = 255
    return image


def by_level(rgb: NDArray[np.floating]) -> NDArray[np.float32]:
    """Paint each gray level in a color of its own, black in black."""
    level = np.rint(np.asarray(rgb)[..., 0] * 255)
    colors = np.stack([level * 37 % 251, level * 91 % 241, level * 151 % 239], -1)
    return np.where(level[..., None] > 0, np.maximum(colors, 60), 0).astype(np.float32)


class SheetColorer:
    """Sees every object of a drawn sheet, at its own size; needs no torch.

    It hands its instances over, as some families do, so that nothing need be probed.
    For processes that are started and killed by the dozen; else `FakeColorer`.

    Parameters
    ----------
    meanwhile
        Called in the middle of each look.

    Attributes
    ----------
    seen
        The shape of each image it looked at.
    """

    device, dtype, reason = "cpu", "float32", "It is drawn."
    notes: tuple[str, ...] = ()

    def __init__(self, meanwhile: Callable[[], object] | None = None) -> None:
        self.spec = ModelSpec("levels", "sd", "levels", "folder", "none")
        self.meanwhile = meanwhile
        self.seen: list[tuple[int, ...]] = []

    def color(
        self, image: NDArray[Any], resolution: int | None = None, **_: Any
    ) -> Coloring:
        self.seen.append(image.shape)
        if self.meanwhile is not None:
            self.meanwhile()
        made = Coloring.from_array(by_level(image), model_id="levels")
        labels, count = ndimage.label(made.values.any(axis=-1))
        found = Instances(labels, np.ones(count, np.float32))
        return replace(made, black_background=True, instances=found)

    def unload(self) -> None:
        """Nothing was loaded."""


def same_objects(one: NDArray[np.integer], other: NDArray[np.integer]) -> bool:
    """Whether two label images hold the same objects, whatever their numbers."""
    pairs = np.unique(np.stack([np.ravel(one), np.ravel(other)]), axis=1)
    sizes = [np.unique(side).size for side in pairs]
    return bool(
        pairs.shape[1] == sizes[0] == sizes[1] and ((pairs == 0).sum(0) != 1).all()
    )
