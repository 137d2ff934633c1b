"""The pictures of the demo, and where a person would click in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_gen2seg.errors import SettingsError

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture and clicks in it.

    Parameters
    ----------
    array
        (H, W) or (H, W, 3).
    name
        For the layer.
    points
        One click for each object to be kept, (row, column).
    last
        A click that is made but not kept, so that the preview shows.
    """

    array: npt.NDArray[Any]
    name: str
    points: tuple[Point, ...] = ()
    last: Point | None = None


#: Middles of objects, chosen by eye in the pictures that scikit-image brings along.
_CLICKS: dict[str, tuple[tuple[Point, ...], Point]] = {
    "coins": (((48, 41), (50, 104), (46, 221), (113, 102), (183, 42)), (125, 47)),
    "cell": (((330, 280),), (330, 280)),
    "ihc": (((235, 110), (330, 205)), (120, 300)),
}


def subject(name: str) -> Subject:
    """Return a bundled picture with its clicks, or a file without any.

    Raises
    ------
    SettingsError
        If it is neither.
    StorageError, ImageError
        If the file cannot be read or has several planes.
    """
    if name in _CLICKS:
        from skimage import data

        function = {"ihc": "immunohistochemistry"}.get(name, name)
        points, last = _CLICKS[name]
        return Subject(getattr(data, function)(), name, points, last)
    path = Path(name)
    if not path.is_file():
        raise SettingsError(
            f"There is no picture {name!r}; it must be one of {', '.join(_CLICKS)}, or "
            "a file."
        )
    from napari_gen2seg.cli.options import read_plane

    return Subject(read_plane(path, None, None), path.stem)
