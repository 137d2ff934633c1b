"""Crops that a run keeps for later ones, and which images were learnt from before.

A later run divides its pictures anew. What it holds back must not come back to it as a
crop of an earlier run, and is best a picture that no earlier run has learnt from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.train.data.window import Crop
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.run_folder import CROPS, LEARNT_NAME

Folders = Sequence[str | Path]


@dataclass(frozen=True, eq=False)
class Kept:
    """A crop that an earlier run kept.

    Attributes
    ----------
    crop
        Pixels and labels.
    key
        `Annotated.key` of its picture; empty where that was not written down.
    """

    crop: Crop
    key: str


class Supply(Protocol):
    """What crops are taken from."""

    @property
    def seed(self) -> int:
        """Of the run."""
        ...

    def take(self, rng: np.random.Generator) -> tuple[Crop, str]:
        """Return a crop, and the key of its image."""
        ...


def store(crops: Supply, folder: Path, count: int) -> None:
    """Keep some of this run's own crops for later runs.

    Raises
    ------
    StorageError
        If they cannot be written.
    """
    for number in range(count):
        rng = np.random.default_rng([crops.seed, 1 << 40, number])
        (rgb, labels), key = crops.take(rng)
        with writing(folder / f"{number:04d}.npz") as draft:
            np.savez_compressed(
                draft,
                rgb=np.round(rgb * 255).astype(np.uint8),
                labels=labels.astype(np.int32),
                key=np.array(key),
            )


def read_stored(folders: Folders) -> list[Kept]:
    """Read the crops that earlier runs kept.

    Raises
    ------
    DataError
        If a folder holds none, or a file is damaged.
    """
    found: list[Kept] = []
    for file in _files(folders):
        with _opened(file) as stored:
            crop = Crop(
                stored["rgb"].astype(np.float32) / 255,
                stored["labels"].astype(np.int32),
            )
            found.append(Kept(crop, _key(stored)))
    return found


def replayed(folders: Folders, held: Sequence[Annotated]) -> list[Crop]:
    """Return the stored crops, without those of images that are held back.

    Of a divided picture all are left out: it may have been divided otherwise before.

    Raises
    ------
    DataError
        As `read_stored`.
    """
    back = {pair.key for pair in held}
    return [kept.crop for kept in read_stored(folders) if kept.key not in back]


def learnt_before(folders: Folders) -> tuple[set[str], int]:
    """Tell which images earlier runs learnt from.

    Returns
    -------
    keys, unknown
        `Annotated.key` of each, and how many crops do not say where they are from.

    Raises
    ------
    DataError
        As `read_stored`.
    """
    keys, unknown = set(), 0
    for file in _files(folders):
        with _opened(file) as stored:
            key = _key(stored)
        keys.add(key)
        unknown += not key
    for folder in folders:
        keys |= _noted(_crops(folder).parent, "before", "now")
    return keys - {""}, unknown


def earlier_images(config: FinetuneConfig, begun: bool) -> tuple[set[str], list[str]]:
    """Return the keys of what was learnt before a run, and warnings.

    Parameters
    ----------
    config
        The run.
    begun
        The run goes on: it is divided as at its beginning, whatever became of the
        earlier ones.
    """
    if begun:
        return _noted(config.folder, "before"), []
    keys, unknown = learnt_before(config.replay)
    told = (
        f"{unknown} crops of earlier runs do not say which pictures they are from. "
        "Where one of these is held back now, the score will be too good."
    )
    return keys, [told] if unknown else []


def note_learnt(config: FinetuneConfig, train: Iterable[Annotated]) -> None:
    """Write down what was learnt before a run, and what it learns from itself.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    # Beside data sets nothing is replayed.
    folders = () if config.datasets else config.replay
    facts = {
        "before": sorted(learnt_before(folders)[0]),
        "now": sorted({pair.key for pair in train}),
    }
    with writing(config.folder / LEARNT_NAME) as draft:
        draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _noted(run: Path, *names: str) -> set[str]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        facts = json.loads((run / LEARNT_NAME).read_text(encoding="utf-8"))
        return {str(key) for name in names for key in facts[name]}
    return set()  # a run from before this was written down


def _crops(folder: str | Path) -> Path:
    """Return the folder of crops of a run folder, or of itself."""
    root = Path(folder).expanduser()
    return root / CROPS if (root / CROPS).is_dir() else root


def _files(folders: Folders) -> Iterator[Path]:
    for folder in folders:
        files = sorted(_crops(folder).glob("*.npz"))
        if not files:
            raise DataError(
                f"There are no stored crops in {folder}; name the folder of an earlier "
                "run, or leave it out."
            )
        yield from files


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            yield stored
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(
            f"The stored crop {file} cannot be read ({error}); delete it."
        ) from error


def _key(stored: Any) -> str:
    return str(stored["key"]) if "key" in stored else ""
