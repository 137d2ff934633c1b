"""Objects found without any click: flat regions of the map, merged by colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

from napari_gen2seg.core.geometry import Shape
from napari_gen2seg.errors import SettingsError

_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class ProposalSettings:
    """How objects are proposed.

    Attributes
    ----------
    tolerance
        Colour distance inside which neighbouring regions are one object.
    background
        Colours nearer to black than this are background.
    min_area
        Smallest object in pixels of the map.
    """

    tolerance: float = 24.0
    background: float = 40.0
    min_area: int = 16

    def __post_init__(self) -> None:
        if not self.tolerance > 0 or not self.background >= 0:
            raise SettingsError(
                f"The tolerance is {self.tolerance} and the background "
                f"{self.background}; they must be colour distances above 0 and from 0."
            )
        if self.min_area < 1:
            raise SettingsError(
                f"min_area is {self.min_area}; it must be at least 1 pixel."
            )


def propose(
    values: npt.NDArray[np.float32],
    source_shape: Shape,
    settings: ProposalSettings | None = None,
) -> npt.NDArray[np.int32]:
    """Return labels (H, W) int32 at source size, 0 where nothing was found.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255.
    source_shape
        (H, W) of the picture.
    settings
        See :class:`ProposalSettings`.
    """
    settings = settings or ProposalSettings()
    smooth = np.stack(
        [ndimage.median_filter(values[..., k], 3) for k in range(3)], axis=-1
    )
    steps = np.zeros(values.shape[:2], np.float32)
    for axis in (0, 1):
        steps += np.square(np.gradient(smooth, axis=axis)).sum(axis=-1)
    steps = np.sqrt(steps)
    object_ = np.sqrt(np.square(smooth).sum(axis=-1)) > settings.background
    seeds, _ = ndimage.label(object_ & (steps < settings.tolerance / 4), _EIGHT)
    labels = watershed(steps, seeds, mask=object_).astype(np.int32)
    sizes = np.bincount(labels.ravel())
    labels[sizes[labels] < settings.min_area] = 0
    shape = values.shape[:2]
    if shape == tuple(source_shape):
        return labels
    rows = np.minimum(
        (np.arange(source_shape[0]) + 0.5) * shape[0] / source_shape[0], shape[0] - 1
    ).astype(np.intp)
    cols = np.minimum(
        (np.arange(source_shape[1]) + 0.5) * shape[1] / source_shape[1], shape[1] - 1
    ).astype(np.intp)
    return np.ascontiguousarray(labels[rows[:, None], cols[None]])
