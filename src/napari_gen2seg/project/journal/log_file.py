"""The file of a journal's records: it grows by whole records, or is replaced whole."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from napari_gen2seg.common.atomic import not_written, replacing
from napari_gen2seg.errors import StorageError

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)


class LogFile:
    """An open file of records.

    `append` may be called on one thread while another one waits for the disk in `sync`.

    Parameters
    ----------
    path
        The file; made if it is not there.
    size
        Bytes of its whole records.
    torn
        Bytes behind them, of a record that a crash cut off: they go aside.

    Attributes
    ----------
    size
        Bytes of whole records.
    synced
        Whether the disk has all of them.

    Raises
    ------
    StorageError
        If it cannot be opened.
    """

    def __init__(self, path: Path, size: int = 0, torn: int = 0) -> None:
        self._path = path
        self._guard = threading.RLock()
        self._file: int | None = None
        self.size, self.synced = size, True
        try:
            if torn and path.exists():
                rest = path.read_bytes()[size:]
                aside = path.with_name(f"journal.torn-{int(time.time())}")
                with suppress(OSError):  # a full disk keeps nobody from going on
                    aside.write_bytes(rest)
            self._file = os.open(path, _FLAGS | os.O_CREAT, 0o666)
            os.ftruncate(self._file, size)
        except OSError as error:
            self.close()
            raise not_written(path, error) from error

    def append(self, record: bytes) -> None:
        """Write a record, whole or not at all.

        Raises
        ------
        DiskFullError, StorageError
            If it could not be written.
        """
        with self._guard:
            file, rest = self._file, memoryview(record)
            if file is None:
                raise StorageError(f"{self._path} is not open; nothing was written.")
            try:
                while rest:
                    rest = rest[os.write(file, rest) :]
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(file, self.size)
                raise not_written(self._path, error) from error
            self.size += len(record)
            self.synced = False

    def sync(self) -> None:
        """Wait until the disk has the records that there are now.

        Raises
        ------
        StorageError
            If it could not take them.
        """
        with self._guard:
            if self._file is None or self.synced:
                return
            file, size = os.dup(self._file), self.size
        try:
            os.fsync(file)
        except OSError as error:
            raise not_written(self._path, error) from error
        finally:
            os.close(file)
        with self._guard:
            self.synced = size == self.size

    @contextmanager
    def replaced(self) -> Iterator[IO[bytes]]:
        """Yield a file that takes the place of this one at the end.

        The caller waits for the disk, before it and for the folder after it.

        Raises
        ------
        StorageError
            If it cannot be written; then this file stays.
        """
        try:
            with replacing(self._path) as draft, draft.open("wb", 0) as file:
                yield file
                if os.name == "nt":  # open files cannot be replaced there
                    file.close()
                    self.close()
            with self._guard:
                self.close()
                self._reopen()
        except OSError as error:
            with self._guard:
                if self._file is None:
                    self._reopen()
            raise not_written(self._path, error) from error

    def close(self) -> None:
        """Close it; may be called more than once."""
        with self._guard:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _reopen(self) -> None:
        self._file = os.open(self._path, _FLAGS)
        self.size = os.lseek(self._file, 0, os.SEEK_END)
