"""Pictures with labels before they are trained on: looked through, written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_gen2seg.core.rgb import RgbRecipe, rgb_key, to_rgb, to_uint8
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.atomic import writing
from napari_gen2seg.io.images import write_rgb

FEW, GOOD = 5, 15  # objects in all: too few, and enough for a first try
TINY = 12  # pixels of area; smaller ones are most often slips of the brush

Labels = npt.NDArray[Any]


@dataclass(frozen=True)
class PairFacts:
    """What is in the labels of one picture.

    Parameters
    ----------
    objects
        How many.
    diameter
        Median diameter in pixels, of a disc of equal area; 0 without objects.
    rim
        How many touch the rim of the picture.
    tiny
        How many have less than a dozen pixels.
    parts
        Connected regions of whatever is labelled.
    covered
        Share of the picture that is labelled, 0..1.
    key
        Names the picture by its content.
    """

    objects: int
    diameter: float
    rim: int
    tiny: int
    parts: int
    covered: float
    key: str = ""


def look_through(labels: Labels, rgb: npt.NDArray[Any] | None = None) -> PairFacts:
    """Count and measure the objects of a label picture.

    Parameters
    ----------
    labels
        (H, W) integers; 0 or less is no object.
    rgb
        The picture as the model will see it, to recognise it elsewhere.

    Raises
    ------
    DataError
        If the two differ in size, or the labels are no whole numbers.
    """
    truth = np.asarray(labels)
    if truth.ndim != 2 or truth.dtype.kind not in "bui":
        raise DataError(
            f"The labels have the shape {truth.shape} and type {truth.dtype}; they "
            "must be one plane of whole numbers. Use a Labels layer."
        )
    if rgb is not None and rgb.shape[:2] != truth.shape:
        raise DataError(different(rgb.shape[:2], truth.shape))
    numbers, inverse, areas = np.unique(truth, return_inverse=True, return_counts=True)
    mine = areas[numbers > 0]
    place = inverse.reshape(truth.shape)
    rim = np.concatenate([place[0], place[-1], place[:, 0], place[:, -1]])
    touching = np.unique(rim)
    return PairFacts(
        objects=int(mine.size),
        diameter=float(2 * np.sqrt(np.median(mine) / np.pi)) if mine.size else 0.0,
        rim=int(np.count_nonzero(numbers[touching] > 0)),
        tiny=int(np.count_nonzero(mine < TINY)),
        parts=int(ndimage.label(truth > 0)[1]),
        covered=float(mine.sum() / max(truth.size, 1)),
        key="" if rgb is None else rgb_key(rgb),
    )


def different(picture: Sequence[int], labels: Sequence[int]) -> str:
    """Say that a picture and its labels are not of one size."""
    sizes = " x ".join(map(str, labels)), " x ".join(map(str, picture))
    return (
        f"The labels are {sizes[0]} pixels and the picture {sizes[1]}; they must be "
        "equal. Choose labels that were drawn on this picture."
    )


def remarks(facts: PairFacts, complete: bool) -> list[str]:
    """Say in plain words what might go wrong with one picture."""
    said = []
    count = facts.objects
    if not count:
        return ["There are no objects in these labels."]
    if count <= 2 and facts.parts >= max(4, 3 * count):
        said.append(
            f"{facts.parts} separate regions share {count} number"
            f"{'s' if count > 1 else ''}: give every object a number of its own "
            "(one connected region each), or the model learns that they are one."
        )
    if 2 * facts.rim > count and count > 1:
        said.append(
            f"{facts.rim} of {count} objects touch the rim of the picture: the model "
            "sees only parts of them. Whole objects teach more."
        )
    if facts.tiny:
        noun = "object has" if facts.tiny == 1 else "objects have"
        said.append(
            f"{facts.tiny} {noun} less than {TINY} pixels: most often a slip of the "
            "brush. Erase them if they are."
        )
    if complete and facts.covered < 0.02:
        said.append(
            "You said that the picture is complete, but hardly anything is labelled; "
            "everything else will be taught as background."
        )
    return said


def worries(
    used: Sequence[tuple[str, PairFacts | None, str]],
) -> list[str]:
    """Say what might go wrong with the chosen pictures together.

    Parameters
    ----------
    used
        Name, facts and role (``auto``, ``train`` or ``held``) of every chosen picture.
    """
    said = []
    known = [(name, facts, role) for name, facts, role in used if facts is not None]
    total = sum(facts.objects for _, facts, role in known if role != "held")
    if used and known and total < FEW:
        said.append(
            f"Only {total} object{'' if total == 1 else 's'} to learn from. Label at "
            f"least {FEW}; {GOOD} or more, of all kinds and sizes, are better."
        )
    if used and all(role == "held" for _, _, role in used):
        said.append("Every picture is held back, so there is none to learn from.")
    first: dict[str, tuple[str, str]] = {}
    for name, facts, role in known:
        if not facts.key:
            continue
        if facts.key not in first:
            first[facts.key] = (name, role)
            continue
        other, other_role = first[facts.key]
        if "held" in (role, other_role) and role != other_role:
            said.append(
                f"{name!r} and {other!r} are the same picture, once to learn from and "
                "once held back: the score would flatter the model. Hold back both, or "
                "neither."
            )
        else:
            said.append(
                f"{name!r} and {other!r} are the same picture with two sets of labels. "
                "Untick one of them."
            )
    return said


@dataclass(frozen=True, eq=False)
class PairSource:
    """A picture and its labels, not read yet.

    Parameters
    ----------
    name
        For people.
    read, labels
        Return the pixels, (H, W) or (H, W, C), and the labels, (H, W); called on any
        thread.
    recipe
        How the channels become RGB.
    complete
        Whether whatever is unlabelled is background.
    role
        ``auto``, ``train`` or ``held``.
    group
        Pictures of one group are held back together; None for none.
    """

    name: str
    read: Callable[[], npt.NDArray[Any]]
    labels: Callable[[], Labels]
    recipe: RgbRecipe
    complete: bool = False
    role: str = "auto"
    group: str | None = None


def write_pairs(
    folder: Path,
    sources: Sequence[PairSource],
    names: Sequence[str],
    check: Callable[[], None],
    progress: Callable[[float, str], None],
) -> list[dict[str, Any]]:
    """Write what is to be trained on into a run folder.

    The pictures are written as the model will see them, so that the run can go on
    when the layers, or the files, are gone.

    Parameters
    ----------
    folder
        For ``NAME-image.tif`` and ``NAME-labels.tif``.
    sources, names
        Pictures and their names, safe for files and each of its own.
    check
        Called between pictures; raises to stop.
    progress
        Told how far it is, 0..1.

    Returns
    -------
    list of dict
        ``pairs`` of the config.

    Raises
    ------
    ImageError, DataError, StorageError
        If a picture cannot be used or written.
    """
    written = []
    for place, (source, name) in enumerate(zip(sources, names, strict=True)):
        check()
        progress(place / len(sources), f"Reading {source.name}")
        rgb = to_uint8(to_rgb(source.read(), source.recipe))
        labels = np.asarray(source.labels())
        if labels.shape != rgb.shape[:2]:
            raise DataError(
                f"{source.name!r}: {different(rgb.shape[:2], labels.shape)}"
            )
        image_path = folder / f"{name}-image.tif"
        labels_path = folder / f"{name}-labels.tif"
        write_rgb(image_path, rgb)
        _write_labels(labels_path, labels)
        written.append(
            {
                "image": str(image_path),
                "labels": str(labels_path),
                "name": name,
                "complete": source.complete,
                "group": source.group,
                "role": source.role,
            }
        )
    return written


def _write_labels(path: Path, labels: Labels) -> None:
    """Write int32: -1, which stands for unknown, fits into nothing smaller."""
    import tifffile

    with writing(path) as draft:
        tifffile.imwrite(draft, labels.astype(np.int32), compression="zlib")
