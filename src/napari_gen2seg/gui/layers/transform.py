"""Where a layer lies in the world: all of napari's placement, copied at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari.layers import Layer

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerTransform:
    """A layer's placement at one moment.

    Parameters
    ----------
    scale, translate
        (ndim,).
    rotate, shear
        (ndim, ndim).
    affine
        (ndim + 1, ndim + 1).
    units, axis_labels
        One for each axis.
    matrix, shift
        (ndim, ndim) and (ndim,): world = matrix @ data + shift, all of the above in
        one.
    """

    scale: Array
    translate: Array
    rotate: Array
    shear: Array
    affine: Array
    units: tuple[Any, ...]
    axis_labels: tuple[str, ...]
    matrix: Array
    shift: Array

    @classmethod
    def of(cls, layer: Layer) -> LayerTransform:
        """Copy the placement of a layer."""
        ndim = layer.ndim
        shift = np.asarray(layer.data_to_world(np.zeros(ndim)), np.float64)
        columns = [
            np.asarray(layer.data_to_world(axis)) - shift for axis in np.eye(ndim)
        ]
        shear = np.asarray(layer.shear)
        if shear.ndim == 1:  # the upper triangle, row by row
            full = np.eye(ndim)
            full[np.triu_indices(ndim, 1)] = shear
            shear = full
        return cls(
            np.array(layer.scale, np.float64),
            np.array(layer.translate, np.float64),
            np.array(layer.rotate, np.float64),
            np.array(shear, np.float64),
            np.array(layer.affine.affine_matrix, np.float64),
            tuple(layer.units),
            tuple(layer.axis_labels),
            np.stack(columns, axis=1),
            shift,
        )

    @property
    def ndim(self) -> int:
        """Axes of the layer."""
        return len(self.shift)

    def to_data(self, position: npt.ArrayLike) -> Array:
        """Convert world positions (..., n) to the layer's pixels (..., ndim).

        Of more axes than the layer has the last count; missing ones are 0, as for
        `Layer.world_to_data`.
        """
        world = np.asarray(position, np.float64)[..., -self.ndim :]
        missing = self.ndim - world.shape[-1]
        if missing:
            world = np.pad(world, [(0, 0)] * (world.ndim - 1) + [(missing, 0)])
        return np.asarray(np.linalg.solve(self.matrix, (world - self.shift).T).T)

    def to_world(self, place: npt.ArrayLike) -> Array:
        """Convert the layer's pixels (..., ndim) to world positions (..., ndim)."""
        return np.asarray(np.asarray(place, np.float64) @ self.matrix.T + self.shift)

    def placement(
        self, scale_by: npt.ArrayLike, origin: npt.ArrayLike, first: int = 0
    ) -> dict[str, Any]:
        """Place an array so that it lies over the layer.

        Parameters
        ----------
        scale_by
            (ndim,) how many of the layer's pixels one pixel of the array spans.
        origin
            (ndim,) where the centre of the array's first pixel lies, in pixels of the
            layer.
        first
            Leading axes of the layer that the array lacks.

        Returns
        -------
        dict
            ``scale translate rotate shear affine units axis_labels`` for a new layer.
        """
        from napari.utils.transforms import Affine

        linear = Affine(
            scale=self.scale, rotate=self.rotate, shear=self.shear
        ).linear_matrix
        translate = self.translate + linear @ np.asarray(origin, np.float64)
        return {
            "scale": (self.scale * np.asarray(scale_by, np.float64))[first:],
            "translate": translate[first:],
            "rotate": self.rotate[first:, first:],
            "shear": self.shear[first:, first:],
            "affine": self.affine[first:, first:],
            "units": self.units[first:],
            "axis_labels": self.axis_labels[first:],
        }
