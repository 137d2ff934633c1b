"""The files of one image's work: labels and facts whole, the journal act by act.

``labels.tif``   the labels after some act, for any program
``facts.json``   image, state, settings, and where each object comes from
``journal.log``  the acts since then, and the latest ones before, to be undone

Each bears the number of its last act, so that a crash between two of them loses
nothing: acts that a file holds already are not done to it again.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import not_written, replacing, sync_folder
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.common.upgraded import Step, upgraded
from napari_gen2seg.errors import DataError, StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.journal.act import Act
from napari_gen2seg.project.journal.history import History
from napari_gen2seg.project.journal.record import Records, read_records
from napari_gen2seg.project.journal.state import WorkState

LABELS_NAME, FACTS_NAME, JOURNAL_NAME = "labels.tif", "facts.json", "journal.log"

FACTS_FORMAT, JOURNAL_FORMAT = "napari-gen2seg work", "napari-gen2seg journal"
FACTS_STEPS: tuple[Step, ...] = ()
"""From one version of ``facts.json`` to the next."""
JOURNAL_STEPS: tuple[Step, ...] = (lambda head: head, lambda head: head)
"""From one version of the journal's first record to the next.

2: classes of objects stand beside the values of an act, and can be taken back.
3: a class may get another name.
"""

# What reading a damaged TIFF raises; RuntimeError and zlib's where it is decompressed.
_DAMAGED = (
    *(OSError, ValueError, KeyError, TypeError, IndexError),
    *(RuntimeError, zlib.error),
)


@dataclass(eq=False)
class Work:
    """What the files of a folder add up to, labels aside.

    Attributes
    ----------
    folder
        Where they lie.
    image
        Which image it is, as far as the facts know.
    shape, dtype
        Of the labels.
    state
        After the last whole act.
    history
        What can be undone and redone.
    facts_sequence
        Last act that ``facts.json`` holds.
    acts
        Acts of the journal, in order, those before ``labels.tif`` included.
    records
        The journal as it was read.
    """

    folder: Path
    image: ImageIdentity
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    state: WorkState = field(default_factory=WorkState)
    history: History = field(default_factory=History)
    facts_sequence: int = 0
    acts: list[Act] = field(default_factory=list)
    records: Records = field(default_factory=lambda: Records([], 0, 0))

    def labels(self) -> LabelArray:
        """Read the labels and do to them what came after.

        Returns
        -------
        numpy.ndarray
            Of `shape` and `dtype`.

        Raises
        ------
        StorageError
            If they cannot be read, or an act does not fit them.
        """
        labels, sequence = read_labels(self.folder, self.shape, self.dtype)
        try:
            for act in self.acts:
                if act.sequence > sequence and act.patch is not None:
                    act.patch.apply(labels)
        except DataError as error:
            raise StorageError(
                f"The journal in {self.folder} does not fit its labels ({error}). "
                f"{LABELS_NAME} holds the labels up to act {sequence}; move "
                f"{JOURNAL_NAME} elsewhere to go on from there."
            ) from error
        return labels


def is_work(folder: Path) -> bool:
    """Tell whether a folder holds an image's work."""
    return (folder / FACTS_NAME).is_file()


def read_work(folder: Path) -> Work:
    """Read facts and journal of a folder up to the last whole act.

    Raises
    ------
    StorageError
        If the facts cannot be read; a torn end of the journal is no error.
    """
    # Before the facts: these are written first when the journal is made short.
    records = read_records(folder / JOURNAL_NAME)
    work = read_facts(folder)
    work.records = records
    with _damage_told(folder):
        if records.values:
            _replay(work)
    return work


def read_facts(folder: Path) -> Work:
    """Read the facts of a folder alone: which image, and what was known of it then.

    The journal, which may be long, is not read; acts that it holds are not there.

    Raises
    ------
    StorageError
        If they cannot be read.
    """
    source = folder / FACTS_NAME
    raw = upgraded(_json_of(source), source, FACTS_FORMAT, FACTS_STEPS)
    with _damage_told(folder):
        work = Work(
            folder,
            _image(raw["image"], folder),
            tuple(int(n) for n in raw["labels"]["shape"]),
            np.dtype(raw["labels"]["dtype"]),
            WorkState.from_json(raw),
        )
        work.facts_sequence = work.state.sequence
        return work


@contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"The work in {folder} is damaged ({error}). {LABELS_NAME} holds the "
            "labels as they were last saved whole; restore the rest from a copy."
        ) from error


def _replay(work: Work) -> None:
    """Add the acts of the journal to what the facts know."""
    source = work.folder / JOURNAL_NAME
    head, *rest = work.records.values
    head = upgraded(head, source, JOURNAL_FORMAT, JOURNAL_STEPS)
    work.shape = tuple(int(n) for n in head["shape"])
    work.dtype = np.dtype(head["dtype"])
    work.acts = [Act.from_json(_upgraded_act(values)) for values in rest]
    numbered = {act.sequence: act for act in work.acts}
    work.history.done.extend(numbered[int(n)] for n in head["done"])
    work.history.undone.extend(numbered[int(n)] for n in head["undone"])
    for act in work.acts:
        if act.sequence > int(head["last"]):
            work.history.add(act)
        if act.sequence > work.facts_sequence:
            work.state.apply(act)


def _upgraded_act(values: dict[str, Any]) -> dict[str, Any]:
    """Bring a record to version 2; acts of both may follow each other in a file."""
    if values.get("act") != "classes" or "values" not in values:
        return values
    rest = {name: one for name, one in values.items() if name != "values"}
    return {"classes": values["values"], **rest}


def journal_head(work: Work) -> dict[str, Any]:
    """Return the first record of a journal that begins with what there is now.

    It names the acts that can be undone and redone; those that come later in the file
    follow from it.
    """
    return {
        "format": JOURNAL_FORMAT,
        "version": len(JOURNAL_STEPS) + 1,
        "shape": list(work.shape),
        "dtype": work.dtype.str,
        "last": work.state.sequence,
        "done": [act.sequence for act in work.history.done],
        "undone": [act.sequence for act in work.history.undone],
    }


def read_labels(
    folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[LabelArray, int]:
    """Read the labels that were saved whole, and the number of their last act.

    Returns
    -------
    labels
        Of the shape and type asked for; zeros where nothing was saved yet.
    sequence
        0 where nothing was.

    Raises
    ------
    StorageError
        If the file is damaged.
    """
    if not (folder / LABELS_NAME).is_file():
        return np.zeros(shape, dtype), 0
    with _labels_file(folder) as file:
        facts = file.shaped_metadata[0]
        labels = np.asarray(file.asarray(), dtype).reshape(facts["shape"])
        return labels, int(facts["sequence"])


def saved_sequence(folder: Path) -> int:
    """Return the number of the last act in the labels that were saved whole, or 0.

    Raises
    ------
    StorageError
        If the file is damaged.
    """
    if not (folder / LABELS_NAME).is_file():
        return 0
    with _labels_file(folder) as file:
        return int(file.shaped_metadata[0]["sequence"])


@contextmanager
def _labels_file(folder: Path) -> Iterator[Any]:
    import tifffile

    source = folder / LABELS_NAME
    try:
        with tifffile.TiffFile(source) as file:
            yield file
    except _DAMAGED as error:
        raise StorageError(
            f"{source} is damaged or was written over by another program ({error!r}). "
            "Restore it from a copy."
        ) from error


def write_labels_file(folder: Path, labels: LabelArray, sequence: int) -> None:
    """Save labels whole, for any program to read, and wait until the disk has them.

    Raises
    ------
    StorageError
        If they cannot be written; the file of before is there still.
    """
    import tifffile

    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    kind = np.int32 if low < 0 else np.uint16 if high < 2**16 else np.uint32
    target = folder / LABELS_NAME
    try:
        with replacing(target, sync=True) as draft:
            tifffile.imwrite(
                draft,
                labels.astype(kind, copy=False),
                photometric="minisblack",
                compression="zlib",
                compressionargs={"level": 1},
                metadata={"sequence": sequence},
            )
        sync_folder(folder)
    except OSError as error:
        raise not_written(target, error) from error


def write_facts(work: Work) -> None:
    """Save what is known of a work, labels aside.

    Raises
    ------
    StorageError
        If it cannot be written; the file of before is there still.
    """
    path = work.image.path
    content = {
        "format": FACTS_FORMAT,
        "version": len(FACTS_STEPS) + 1,
        "image": {
            "name": work.image.name,
            "key": work.image.key,
            "path": None if path is None else _relative(path, work.folder),
            "absolute": None if path is None else str(path),
        },
        "labels": {"shape": list(work.shape), "dtype": work.dtype.str},
        **work.state.to_json(),
    }
    target = work.folder / FACTS_NAME
    try:
        with replacing(target, sync=True) as draft:
            draft.write_text(
                json.dumps(content, indent=1, ensure_ascii=False) + "\n",
                encoding="utf-8",
            )
        sync_folder(work.folder)
    except OSError as error:
        raise not_written(target, error) from error
    work.facts_sequence = work.state.sequence


def _json_of(source: Path) -> Any:
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{source} could not be read as JSON ({error}). Restore it from a copy."
        ) from error


def _image(raw: dict[str, Any], folder: Path) -> ImageIdentity:
    """Read which image it is; its path as it is from here, or as it was."""
    path = None
    if raw.get("path"):
        near = Path(os.path.normpath(folder / raw["path"]))
        path = near if near.exists() else Path(raw.get("absolute") or near)
    return ImageIdentity(str(raw["name"]), str(raw["key"]), path)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
