"""Files that are either the old ones or the new ones, never halves."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_gen2seg.errors import StorageError

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, or choose another folder",
    errno.EDQUOT: "your quota is used up: free some space, or choose another folder",
    errno.EACCES: "writing there is not allowed: choose a folder of your own",
    errno.EPERM: "writing there is not allowed: choose a folder of your own",
    errno.EROFS: "that disk is read-only: choose another folder",
    errno.ENOTDIR: "a part of that path is a file, not a folder: choose another path",
    errno.EISDIR: "that is a folder: give the name of a file",
}


@contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """Write a file under another name and put it in place when it is complete.

    Parameters
    ----------
    path
        The file to write. Missing folders are made.

    Yields
    ------
    Path
        A file of the same folder and ending, to be written in the ``with`` block.
        If the block fails, it is removed and `path` stays as it was.

    Raises
    ------
    StorageError
        If the disk is full, the folder not writable, and the like.
    """
    target = Path(path).expanduser()
    draft: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
        draft = Path(name)
        yield draft
        # mkstemp lets nobody else read; a result is an ordinary file.
        draft.chmod(0o666 & ~_umask())
        draft.replace(target)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(_sentence(target, error)) from error
    finally:
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _sentence(target: Path, error: OSError) -> str:
    """Say what could not be written, why, and what to do."""
    advice = _ADVICE.get(error.errno or 0, str(error))
    return f"Could not write {target}: {advice}."


def _umask() -> int:
    """Return the process's umask (it can only be read by setting it)."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
