"""YOLO-seg: a text file an image, a polygon a line, in shares of width and height.

Source: the layout that the Ultralytics trainer documents: ``data.yaml`` with ``path``,
``train``, ``val``, ``test`` and ``names``; ``images/PART/NAME.png`` with
``labels/PART/NAME.txt``; a line is ``class x1 y1 x2 y2 ...``, x and y in 0..1.

An object of several pieces or with holes is one polygon with bridges without width, so
that filling it gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import Shape
from napari_gen2seg.core.outlines import fill
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.objects import ImageObjects

CONFIG_NAME = "data.yaml"
_DIGITS = 7  # a hundredth of a pixel in an image of 100 000 pixels


def write_yolo(path: Path, objects: ImageObjects, classes: Sequence[str]) -> None:
    """Write the objects of one image.

    Parameters
    ----------
    path
        ``NAME.txt``.
    objects
        Each of a class in `classes`, or of none, which is the first.
    classes
        Names in the order of their numbers.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    height, width = objects.shape
    lines = []
    for one in objects.objects:
        kind = classes.index(one.class_name) if one.class_name else 0
        shares = one.outline()[:, ::-1] / (width, height)
        numbers = " ".join(f"{value:.{_DIGITS}g}" for value in shares.ravel())
        lines.append(f"{kind} {numbers}\n")
    with writing(path) as draft:
        draft.write_text("".join(lines), encoding="ascii")


def read_yolo(
    path: Path, shape: Shape, classes: Mapping[int, str] | None = None
) -> ImageObjects:
    """Read the objects of one image.

    Parameters
    ----------
    path
        ``NAME.txt``; lines of five numbers are boxes.
    shape
        (H, W) of the image.
    classes
        Number -> name.

    Raises
    ------
    DataError
        If a line is none of the format.
    """
    names = classes or {}
    height, width = shape
    masks = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            kind, *values = (float(word) for word in line.split())
        except ValueError as error:
            raise DataError(
                f"{path}, line {number}: {error}; it must hold a class and numbers."
            ) from error
        if len(values) == 4:
            x, y, w, h = values
            values = [x - w / 2, y - h / 2, x + w / 2, y - h / 2]
            values += [x + w / 2, y + h / 2, x - w / 2, y + h / 2]
        if len(values) < 6 or len(values) % 2 or not np.isfinite(values).all():
            raise DataError(
                f"{path}, line {number} has {len(values)} numbers after the class; it "
                "must have x and y of three corners or more."
            )
        corners = np.reshape(values, (-1, 2))[:, ::-1] * (height, width)
        window, corner = fill([corners], shape)
        masks.append((window, corner, names.get(int(kind), str(int(kind)))))
    return ImageObjects.of_masks(shape, masks)


def write_yolo_config(
    folder: Path, classes: Sequence[str], parts: Sequence[str]
) -> None:
    """Write ``data.yaml``.

    Parameters
    ----------
    folder
        The data set.
    classes
        Names in the order of their numbers.
    parts
        Which of ``train``, ``val`` and ``test`` there are.
    """
    import yaml

    content: dict[str, Any] = {"path": "."}
    content |= {part: f"images/{part}" for part in parts}
    content["names"] = dict(enumerate(classes))
    with writing(folder / CONFIG_NAME) as draft:
        draft.write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True),
            encoding="utf-8",
        )


def yolo_classes(folder: Path) -> dict[int, str]:
    """Read the names of the classes from ``data.yaml``; none without the file.

    Raises
    ------
    DataError
        If it is no such file.
    """
    import yaml

    source = folder / CONFIG_NAME
    if not source.is_file():
        return {}
    try:
        names = yaml.safe_load(_text(source))["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(number): str(name) for number, name in pairs}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{source} could not be read ({error}); it must be YAML with names."
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} could not be read ({error}).") from error
