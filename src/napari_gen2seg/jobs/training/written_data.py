"""Annotated images before they are trained on: chosen, and written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.text import count_text, slug
from napari_gen2seg.core.image.rgb import to_rgb, to_uint8
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import AnnotatedSource
from napari_gen2seg.io.formats.writers import write_rgb
from napari_gen2seg.io.label_facts import LabelFacts
from napari_gen2seg.train.data.label_checks import FEW

GOOD = 15  # objects in all that are enough for a first try
PICTURES = "pictures.json"


def worries(
    used: Sequence[tuple[str, LabelFacts | None, str]],
) -> list[str]:
    """Say what might go wrong with the chosen images together, each there once.

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
            f"Only {count_text(total, 'object')} to learn from. Label at "
            f"least {FEW}; {GOOD} or more, of all kinds and sizes, are better."
        )
    if used and all(role == "validation" for _, _, role in used):
        said.append("Every picture is held back, so there is none to learn from.")
    return said


def pair_entry(source: AnnotatedSource, folder: Path, name: str) -> dict[str, Any]:
    """Return the entry of the config (`PairSpec`) for files of a source in a folder."""
    return {
        "image": str(folder / f"{name}-image.tif"),
        "labels": str(folder / f"{name}-labels.tif"),
        "name": name,
        "complete": source.complete,
        "group": source.group,
        "role": source.role,
        "proposed": source.proposed,
        "proposed_inside": source.proposed_inside,
    }


def file_names(sources: Sequence[AnnotatedSource]) -> list[str]:
    """Return a name for the files of each source, all of them different.

    Some disks take "DAPI" and "dapi" for one file; so none differ in case alone.
    """
    names: list[str] = []
    taken: set[str] = set()
    for source in sources:
        stem, count = slug(source.title), 1
        name = stem
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}"
        names.append(name)
        taken.add(name.lower())
    return names


def write_pairs(
    folder: Path,
    sources: Sequence[AnnotatedSource],
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
        Images and their names, safe for files and each of its own.
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
        progress(place / len(sources), f"Reading {source.title}")
        try:
            read = source.read()
        except DataError as error:
            raise DataError(f"{source.title!r}: {error}") from error
        entry = pair_entry(source, folder, name)
        write_rgb(Path(entry["image"]), to_uint8(to_rgb(read.image, source.recipe)))
        _write_labels(Path(entry["labels"]), read.labels)
        written.append(entry)
    known = {
        name: {"title": source.title, "key": source.key}
        for source, name in zip(sources, names, strict=True)
    }
    with writing(folder / PICTURES) as draft:
        draft.write_text(json.dumps(known), "utf-8")
    return written


def read_images(folder: Path) -> dict[str, dict[str, str]]:
    """Return what the images of `write_pairs` are called, and their keys, by name."""
    try:
        known = json.loads((folder / PICTURES).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_labels(path: Path, labels: npt.NDArray[np.int32]) -> None:
    import tifffile

    with writing(path) as draft:
        tifffile.imwrite(draft, labels, photometric="minisblack", compression="zlib")
