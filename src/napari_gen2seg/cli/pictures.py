"""The images of the demo, and where a person would click in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_gen2seg.errors import SettingsError

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Subject:
    """An image and clicks in it.

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
_CLICKS: dict[str, tuple[tuple[Point, ...], Point | None]] = {
    "coins": (((54, 44), (51, 155), (119, 271), (193, 212), (187, 347)), (260, 46)),
    "cell": (((380, 423),), None),
    "ihc": (((167, 450), (198, 133), (170, 120)), (180, 307)),
}


def subject(name: str) -> Subject:
    """Return a bundled image with its clicks, or a file without any.

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
    from napari_gen2seg.cli.inputs import read_plane

    return Subject(read_plane(path, None, None), path.stem)
