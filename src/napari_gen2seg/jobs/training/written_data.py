"""Pictures with labels before they are trained on: chosen, and written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb, to_uint8
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.formats.images import write_rgb
from napari_gen2seg.train.data.label_checks import (
    FEW,
    PairFacts,
    different,
    look_through,
)

GOOD = 15  # objects in all that are enough for a first try
PICTURES = "pictures.json"
LARGE = 2**30  # larger numbers of objects are replaced by small ones


def worries(
    used: Sequence[tuple[str, PairFacts | None, str]],
) -> list[str]:
    """Say what might go wrong with the chosen pictures together, each there once.

    Parameters
    ----------
    used
        Name, facts and role (``auto``, ``train`` or ``validation``) of every
        chosen picture.
    """
    said = []
    known = [(name, facts, role) for name, facts, role in used if facts is not None]
    total = sum(facts.objects for _, facts, role in known if role != "validation")
    if used and known and total < FEW:
        said.append(
            f"Only {total} object{'' if total == 1 else 's'} to learn from. Label at "
            f"least {FEW}; {GOOD} or more, of all kinds and sizes, are better."
        )
    if used and all(role == "validation" for _, _, role in used):
        said.append("Every picture is held back, so there is none to learn from.")
    return said


@dataclass(frozen=True, eq=False)
class PairSource:
    """A picture and its labels, not read yet, and what a person wants of it.

    Unlike the row it comes from it knows no layer, and may be read on any thread while
    the table goes on changing.

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
        ``auto``, ``train`` or ``validation``.
    group
        Pictures of one group are held back together; None for none.
    key
        Names the picture by its content, so that it is known again.
    facts
        What is in the labels, where that is known.
    """

    name: str
    read: Callable[[], npt.NDArray[Any]]
    labels: Callable[[], LabelArray]
    recipe: RgbRecipe
    complete: bool = False
    role: str = "auto"
    group: str | None = None
    key: str = ""
    facts: PairFacts | None = None

    def look(self) -> PairFacts:
        """Return what is in the labels as a whole, looking through them if need be.

        Raises
        ------
        DataError
            If they are no labels.
        """
        if self.facts is not None and self.facts.parts:
            return self.facts
        return replace(look_through(self.labels()), key=self.key)

    def spec(self, folder: Path, name: str) -> dict[str, Any]:
        """Return the entry of the config for files in a folder."""
        return {
            "image": str(folder / f"{name}-image.tif"),
            "labels": str(folder / f"{name}-labels.tif"),
            "name": name,
            "complete": self.complete,
            "group": self.group,
            "role": self.role,
        }


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
        spec = source.spec(folder, name)
        write_rgb(Path(spec["image"]), rgb)
        _write_labels(Path(spec["labels"]), _small(labels))
        written.append(spec)
    known = {
        name: {"title": source.name, "key": source.key}
        for source, name in zip(sources, names, strict=True)
    }
    with writing(folder / PICTURES) as draft:
        draft.write_text(json.dumps(known), "utf-8")
    return written


def read_pictures(folder: Path) -> dict[str, dict[str, str]]:
    """Return what the pictures of `write_pairs` are called, and their keys, by name."""
    try:
        known = json.loads((folder / PICTURES).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _small(labels: LabelArray) -> npt.NDArray[np.int32]:
    """Return int32: -1, which stands for unknown, fits into nothing smaller."""
    if labels.size and (labels.max() > LARGE or labels.min() < -1):
        # Ids of other programs: any distinct numbers will do, but none may wrap round.
        ids, place = np.unique(labels, return_inverse=True)
        few = np.where(ids > 0, np.arange(1, ids.size + 1), np.where(ids < 0, -1, 0))
        labels = few[place.reshape(labels.shape)]
    return labels.astype(np.int32)


def _write_labels(path: Path, labels: npt.NDArray[np.int32]) -> None:
    import tifffile

    with writing(path) as draft:
        tifffile.imwrite(draft, labels, compression="zlib")
