"""Records in a file: a line of JSON each, with length and checksum before it.

A line that was torn by a crash fails its checksum, and so do all after it: they are not
read. People can read the file with any editor.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_gen2seg.errors import StorageError


def encode(values: dict[str, Any]) -> bytes:
    """Write one record: checksum, length in bytes, JSON, end of line."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    return b"%08x %d %s\n" % (zlib.crc32(text), len(text), text)


def decode(line: bytes) -> dict[str, Any] | None:
    """Read one record; None where it is torn or damaged."""
    try:
        checksum, length, text = line.split(b" ", 2)
        whole = text.endswith(b"\n") and len(text) == int(length) + 1
        if not whole or int(checksum, 16) != zlib.crc32(text[:-1]):
            return None
        values = json.loads(text)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


@dataclass(frozen=True, eq=False)
class Records:
    """What a file of records holds.

    Attributes
    ----------
    values
        The whole records, in order.
    size
        Bytes they take: what lies behind is torn.
    torn
        Bytes behind them.
    """

    values: list[dict[str, Any]]
    size: int
    torn: int


def read_records(path: Path) -> Records:
    """Read records up to the first torn one.

    Parameters
    ----------
    path
        The file; one that is not there holds none.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise StorageError(
            f"{path} could not be read ({error.strerror}). Check that you may read it."
        ) from error
    values: list[dict[str, Any]] = []
    size = 0
    for line in content.splitlines(keepends=True):
        record = decode(line)
        if record is None:
            break
        values.append(record)
        size += len(line)
    return Records(values, size, len(content) - size)
