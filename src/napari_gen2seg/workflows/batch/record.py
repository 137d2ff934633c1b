"""The file beside each result: what it was made of, and whether it is still that.

It is written before the labels, as begun, and after them, as done: whatever a killed
process leaves, the next one knows whether the labels there are its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import StorageError
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.workflows.batch.inputs import BatchImage

FORMAT = "napari-gen2seg batch"
VERSION = 1


def key_of(facts: dict[str, Any]) -> str:
    """Name what a result is made of: 32 hexadecimal digits."""
    text = json.dumps([FORMAT, VERSION, facts], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Earlier:
    """What is there of an image's labels.

    Attributes
    ----------
    facts
        What the record says; None where there is none.
    there, ours
        Whether there are labels, and whether they are as a batch left them.
    """

    facts: dict[str, Any] | None
    there: bool
    ours: bool

    @classmethod
    def of(cls, image: BatchImage) -> Earlier:
        """Look at what is there."""
        facts = _read(image.record)
        there = image.target.exists()
        if facts is None:
            return cls(None, there, False)
        begun = facts.get("state") != "done"
        ours = begun or (there and facts.get("output") == output_key(image.target))
        return cls(facts, there, ours)

    def answers(self, key: str) -> bool:
        """Tell whether the labels are those of a key; edited since, they still are."""
        facts = self.facts or {}
        return self.there and facts.get("state") == "done" and facts.get("key") == key

    def check(self, image: BatchImage, overwrite: bool) -> None:
        """Refuse to write over labels that are not as a batch left them.

        Raises
        ------
        StorageError
            With what to do.
        """
        if not self.there or self.ours or overwrite:
            return
        why = (
            "is not of a batch"
            if self.facts is None
            else "was changed after a batch wrote it, with other settings"
        )
        raise StorageError(
            f"{image.target} is there already and {why}, so it is left alone; add "
            "--overwrite (overwrite=True) to replace it, or name another folder."
        )


def write_record(image: BatchImage, facts: dict[str, Any]) -> None:
    """Write a record whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, **facts},
        indent=1,
        ensure_ascii=False,
        default=str,
    )
    with writing(image.record) as draft:
        draft.write_text(text + "\n", "utf-8")


def output_key(target: Path) -> str:
    """Name labels by what is in them; of a folder, by the names and sizes of files."""
    if not target.is_dir():
        return ImageIdentity.of_file(target).key
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(target.rglob("*")):
        if file.is_file():
            name = file.relative_to(target).as_posix()
            digest.update(f"{name}\n{file.stat().st_size}\n".encode())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path} cannot be read ({error}); it says what the labels beside it were "
            "made of. Delete it, and add --overwrite if they are to be made again."
        ) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        return None
    return facts
