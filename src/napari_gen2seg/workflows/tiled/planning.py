"""How large tiles are: read off the map of the parts with most to see.

A model sees objects best at one size, so the scale at which all tiles are looked at is
found once, as the model itself finds it for an image, and told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.common.types import Array, Shape
from napari_gen2seg.core.candidates import paint_scored
from napari_gen2seg.core.image.axes import Axes, Index
from napari_gen2seg.core.image.rgb import RgbRecipe, fixed_contrast, to_rgb
from napari_gen2seg.core.map.object_size import typical_size
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.core.tiling.grid import TileGrid
from napari_gen2seg.errors import ImageError
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.models.runtime.resolution import LARGEST, resolution_for_objects
from napari_gen2seg.workflows.tiled.looking import LookSettings
from napari_gen2seg.workflows.tiled.source import PlaneSource

if TYPE_CHECKING:
    from napari_gen2seg.models.model_config import ModelConfig

_LOOK = 1024  # pixels of the map: what a model sees at once
_SAMPLE = 1024  # pixels of the plane that are tried out at once
_TRIED = 3  # such samples
_PATCHES, _PATCH = 16, 64  # read along each axis for contrast, and their side
_DIAMETERS = 2.0  # of overlap on each side, in diameters of an object
_CONTEXT = 48  # pixels of the map, the least
_ALIGNED = (512, 256, 128, 64)  # sides of chunks into which cores are written


@dataclass(frozen=True)
class TilePlan:
    """How the planes of an image are looked at.

    Attributes
    ----------
    grid
        The tiles; one where planes are looked at as a whole.
    scale
        Pixels of the map for one of the plane; None leaves it to the model.
    diameter
        Of a typical object in pixels of the plane; None where it is not known.
    proposals
        Which objects count.
    """

    grid: TileGrid
    scale: float | None = None
    diameter: float | None = None
    proposals: ProposalSettings = field(default_factory=ProposalSettings)

    @property
    def tiled(self) -> bool:
        """Whether planes are cut into tiles."""
        return self.scale is not None

    @property
    def chunk(self) -> int:
        """Side of the chunks into which cores are written: no two share one."""
        return next((n for n in _ALIGNED if self.grid.side % n == 0), 1024)

    def resolution(self, shape: Shape) -> int | None:
        """Return the longer side in pixels at which a window is seen."""
        if self.scale is None:
            return None
        return int(np.clip(round(self.scale * max(shape)), 8, LARGEST))

    @property
    def text(self) -> str:
        """What is done, for people."""
        height, width = self.grid.shape
        if not self.tiled:
            return f"{height} rows x {width} columns, looked at as a whole"
        scale = self.scale or 1.0
        if abs(scale - 1) < 0.02:
            size = "at its own size"
        elif scale > 1:
            size = f"enlarged {scale:.2g} times"
        else:
            size = f"reduced to {scale:.2g} of its size"
        window = self.grid.side + 2 * self.grid.margin
        why = (
            f" (objects are about {self.diameter:.0f} pixels wide)"
            if self.diameter
            else ""
        )
        return (
            f"{height} rows x {width} columns in {len(self.grid)} tiles of {window} "
            f"pixels that overlap by {2 * self.grid.margin}, {size}{why}"
        )


def plan_tiles(
    source: PlaneSource, colorer: Colorer, settings: LookSettings
) -> TilePlan:
    """Decide how the planes of an image are looked at.

    Parameters
    ----------
    source
        The image. Of several planes the middle one is tried out.
    colorer
        The model: it looks at a few parts, as it does at an image.
    settings
        What a person wants.

    Raises
    ------
    ImageError, StorageError
        If the image cannot be used or read.
    """
    layout = source.layout
    proposals = settings.proposals
    whole = TilePlan(
        TileGrid(layout.shape, max(*layout.shape, 2), 0), None, None, proposals
    )
    longer = max(layout.shape)
    if not settings.in_tiles(layout.shape):
        return whole
    plane = tuple(n // 2 for n in layout.planes)
    config = config_of(colorer)
    if proposals.diameter is None and config is not None and config.source_diameter:
        # The size that the model was fitted to counts for tiles as for whole images.
        proposals = replace(proposals, diameter=config.source_diameter)
        settings = replace(settings, proposals=proposals)
    found = _scale(source, plane, colorer, settings)
    scale, diameter, smallest = found
    look = _look(colorer)
    window = settings.tile or round(look / scale)
    if window >= longer:
        return whole
    margin = round(
        max(_DIAMETERS * (diameter or window / 16), _CONTEXT / scale)
        if settings.overlap is None
        else settings.overlap / 2
    )
    margin = max(min(margin, window // 4), 1)
    core = window - 2 * margin
    step = next((n for n in _ALIGNED if n <= core), 2)
    core = core // step * step if settings.tile is None else core // 2 * 2
    margin = min(margin, core // 2)
    if smallest and proposals.sizes is None and not proposals.diameter:
        # What is a speck is told by all of the plane, not by each tile.
        least = proposals.min_diameter * smallest
        proposals = replace(proposals, sizes=(least, float("inf")))
    return TilePlan(TileGrid(layout.shape, core, margin), scale, diameter, proposals)


def plane_contrast(
    source: PlaneSource, plane: Index, recipe: RgbRecipe | None
) -> RgbRecipe:
    """Return the recipe by which all windows of a plane have one contrast.

    Read off patches spread over the plane.
    """
    return fixed_contrast(_sample(source, plane), source.recipe(recipe))


def _sample(source: PlaneSource, plane: Index) -> Array:
    height, width = source.layout.shape
    if height * width <= (_PATCHES * _PATCH) ** 2:
        return source.window(plane)
    rows = []
    for top in _starts(height, _PATCH, _PATCHES):
        row = [
            source.window(plane, (slice(top, top + _PATCH), slice(left, left + _PATCH)))
            for left in _starts(width, _PATCH, _PATCHES)
        ]
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows)


def _starts(length: int, size: int, count: int) -> list[int]:
    """Return where parts of a side begin that are spread evenly along it."""
    last = max(length - size, 0)
    return sorted({round(last * (n + 0.5) / count) for n in range(count)})


def _look(colorer: Colorer) -> int:
    """Return what a model sees at once, in pixels of the map."""
    fixed = colorer.spec.default_resolution
    if fixed is not None:
        return fixed
    config = config_of(colorer)
    return _LOOK if config is None else min(_LOOK, config.max_resolution)


def config_of(colorer: Colorer) -> ModelConfig | None:
    """Return what the model folder says, where the model has one."""
    return getattr(colorer, "config", None)


def _scale(
    source: PlaneSource, plane: Index, colorer: Colorer, settings: LookSettings
) -> tuple[float, float | None, float]:
    """Return map pixels a pixel, the objects' diameter, and of which specks are told.

    The last is 0 where specks are not told from objects.
    """
    shape = source.layout.shape
    told = settings.proposals.diameter
    config = config_of(colorer)
    if settings.resolution is not None:
        return settings.resolution / max(shape), told, 0.0
    if told and config is not None and config.object_diameter is not None:
        side = resolution_for_objects(told, (_SAMPLE, _SAMPLE), config)
        return side / _SAMPLE, told, 0.0
    fixed = colorer.spec.default_resolution is not None
    scales, sizes, specks, weights = [], [], [], []
    recipe = plane_contrast(source, plane, settings.recipe)
    for window in _busiest(source, plane):
        try:
            rgb = to_rgb(source.window(plane, window), recipe)
        except ImageError:  # nothing finite there
            continue
        coloring = colorer.color(rgb, max(rgb.shape[:2]) if fixed else None)
        candidates = coloring.candidates(settings.proposals)
        labels, scores = paint_scored(candidates, settings.proposals)
        scales.append(coloring.resolution / max(rgb.shape[:2]))
        weights.append(len(scores))
        sizes.append(typical_size(labels) if len(scores) else np.nan)
        ratio = np.sqrt(np.prod(np.divide(coloring.source_shape, coloring.shape)))
        specks.append(candidates.smallest * ratio)
    if not weights or not max(weights):
        return (float(np.median(scales)) if scales else 1.0), told, 0.0
    best = np.array(weights) >= max(weights) / 2
    return (
        1.0 if fixed else float(np.median(np.array(scales)[best])),
        told or float(np.nanmedian(np.array(sizes)[best])),
        float(np.median(np.array(specks)[best])),
    )


def _busiest(source: PlaneSource, plane: Index) -> list[tuple[slice, slice]]:
    """Return the windows with most to see, of some spread over the plane."""
    layout: Axes = source.layout
    height, width = layout.shape
    places = [
        (top, left)
        for top in _starts(height, _SAMPLE, 4)
        for left in _starts(width, _SAMPLE, 4)
    ]

    def contrast(place: tuple[int, int]) -> float:
        rows, columns = (
            slice(first, first + 4 * _PATCH)
            for first in (
                max(min(n + _SAMPLE // 2 - 2 * _PATCH, length - 4 * _PATCH), 0)
                for n, length in zip(place, (height, width), strict=True)
            )
        )
        patch = np.asarray(source.window(plane, (rows, columns)), float)
        return float(np.nan_to_num(patch.std()))

    best = sorted(places, key=contrast, reverse=True)[:_TRIED]
    return [
        (
            slice(top, min(top + _SAMPLE, height)),
            slice(left, min(left + _SAMPLE, width)),
        )
        for top, left in best
    ]
