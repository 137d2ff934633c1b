"""One writer at a time: a lock of the system, and a note of who holds it."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from napari_gen2seg.errors import InUseError, StorageError

LOCK_NAME, OWNER_NAME = "journal.lock", "owner.json"


@dataclass(frozen=True)
class Owner:
    """Who is working on a folder.

    Attributes
    ----------
    pid, host
        The process, and the computer it runs on.
    since
        Since when, in seconds since the epoch.
    """

    pid: int
    host: str
    since: float

    @property
    def text(self) -> str:
        """Say it in words."""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {when}"


class FolderLock:
    """Holds a folder for one window.

    The system lets go of the lock when a process ends, however it ends, so a stale one
    is no more than a note. Only a note of another computer is believed without a lock,
    since network drives do not all pass locks on.
    """

    def __init__(self, folder: Path, take_over: bool = False) -> None:
        """Take the lock.

        Parameters
        ----------
        folder
            A folder that is there.
        take_over
            Do not believe a note of another computer: it has crashed, or was switched
            off.

        Raises
        ------
        InUseError
            If another window or process holds it, named.
        StorageError
            If it cannot be taken at all.
        """
        self._note = folder / OWNER_NAME
        # Not by thread: it may be a window's main thread or another that lets go.
        self._lock = FileLock(folder / LOCK_NAME, timeout=0, thread_local=False)
        owner = read_owner(folder)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise _in_use(folder, owner) from error
        except OSError as error:
            raise StorageError(
                f"{folder} could not be locked ({error}); choose another folder, or "
                "check that you may write there."
            ) from error
        if owner is not None and owner.host != socket.gethostname() and not take_over:
            self._lock.release()
            raise _in_use(folder, owner)
        mine = Owner(os.getpid(), socket.gethostname(), time.time())
        with suppress(OSError):  # a full disk must not keep anybody from reading
            self._note.write_text(json.dumps(asdict(mine)), encoding="utf-8")

    def release(self) -> None:
        """Let go of it."""
        with suppress(OSError):
            self._note.unlink(missing_ok=True)
        self._lock.release()


def read_owner(folder: Path) -> Owner | None:
    """Return who works on a folder or did when it crashed; None if nobody."""
    try:
        raw: Any = json.loads((folder / OWNER_NAME).read_text(encoding="utf-8"))
        return Owner(int(raw["pid"]), str(raw["host"]), float(raw["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _in_use(folder: Path, owner: Owner | None) -> InUseError:
    who = "another window" if owner is None else owner.text
    return InUseError(
        f"The work in {folder} is open in another window ({who}). Go on there, or "
        "close it first; if that computer crashed, take the work over."
    )
