"""All objects of planes of any size: tiles where a plane is too large for one look.

source    where pixels come from, a window at a time
looking   how a person wants it looked at
planning  how large tiles are, read off the map of a few of them
finding   the objects of one tile
plane     the objects of a plane: all tiles, their seams, their numbers
"""

from napari_gen2seg.workflows.tiled.looking import LookSettings
from napari_gen2seg.workflows.tiled.plane import (
    FoundPlane,
    find_plane,
    find_planes,
    forget,
)
from napari_gen2seg.workflows.tiled.planning import TilePlan, plan_tiles
from napari_gen2seg.workflows.tiled.source import ArraySource, FileSource, PlaneSource

__all__ = [
    "ArraySource",
    "FileSource",
    "FoundPlane",
    "LookSettings",
    "PlaneSource",
    "TilePlan",
    "find_plane",
    "find_planes",
    "forget",
    "plan_tiles",
]
