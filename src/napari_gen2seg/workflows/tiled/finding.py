"""The objects of one tile."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.progress import Cancel
from napari_gen2seg.common.types import Array
from napari_gen2seg.core.candidates import paint_scored
from napari_gen2seg.core.image.axes import Index
from napari_gen2seg.core.image.checks import is_constant
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.core.tiling.found import TileObjects
from napari_gen2seg.core.tiling.grid import Tile
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.models.probes import find_candidates
from napari_gen2seg.models.runtime.resolution import resolution_for_objects
from napari_gen2seg.workflows.tiled.looking import LookSettings
from napari_gen2seg.workflows.tiled.planning import TilePlan, config_of
from napari_gen2seg.workflows.tiled.source import PlaneSource


def find_tile(
    source: PlaneSource,
    plane: Index,
    plan: TilePlan,
    tile: Tile,
    recipe: RgbRecipe,
    colorer: Colorer,
    settings: LookSettings,
    cancel: Cancel | None = None,
) -> TileObjects:
    """Find all objects of one tile.

    Parameters
    ----------
    source, plane, tile
        Where.
    plan
        How the plane is looked at.
    recipe
        How its channels become RGB, with one contrast for all tiles.
    colorer, settings, cancel
        As for a plane.
    """
    window = tile.window_slices if plan.tiled else None
    pixels = source.window(plane, window)
    shape = (pixels.shape[0], pixels.shape[1])
    nothing = np.zeros(shape, np.int32)
    if plan.tiled and _is_empty(pixels):
        return TileObjects.of(tile, plan.grid, nothing)
    rgb = to_rgb(pixels, recipe)
    side = plan.resolution(shape) or settings.resolution
    told, config = settings.proposals.diameter, config_of(colorer)
    if side is None and told and config is not None and config.object_diameter:
        side = resolution_for_objects(told, shape, config)
    coloring = colorer.color(rgb, side, passes=settings.passes, cancel=cancel)
    candidates = find_candidates(
        coloring, plan.proposals, settings.method, cancel=cancel
    )
    if not len(candidates):
        return TileObjects.of(tile, plan.grid, nothing)
    labels, scores = paint_scored(candidates, plan.proposals)
    return TileObjects.of(tile, plan.grid, labels, scores)


def _is_empty(pixels: Array) -> bool:
    """Whether a window holds a single value, or nothing finite: no object is in it."""
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).any():
        return True
    channels = np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels[None]
    return all(is_constant(channel) for channel in channels)
