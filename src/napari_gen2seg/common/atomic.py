"""Files and folders that are either the old ones or the new ones, never halves."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_gen2seg.errors import DiskFullError, StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, or choose another folder",
    errno.EDQUOT: "your quota is used up: free some space, or choose another folder",
    errno.EFBIG: "it grew larger than files may be there: choose another folder",
    errno.EACCES: "writing there is not allowed: choose a folder of your own",
    errno.EPERM: "writing there is not allowed: choose a folder of your own",
    errno.EROFS: "that disk is read-only: choose another folder",
    errno.ENOTDIR: "a part of that path is a file, not a folder: choose another path",
    errno.ENOENT: "its folder is not there: make it, or choose another one",
    errno.ENAMETOOLONG: "the name is too long: give a shorter one",
    errno.EISDIR: "that is a folder: give the name of a file",
}


_STEM = 20  # letters, each of up to 4 bytes


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
    target = Path(path)
    try:
        target = target.expanduser()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with replacing(target) as draft:
            yield draft
    except StorageError:
        raise
    except RuntimeError as error:  # of expanduser
        if "home directory" not in str(error):
            raise
        raise StorageError(
            f"{path} cannot be written: there is no such home folder. Give the whole "
            "path."
        ) from error
    except OSError as error:
        raise not_written(target, error) from error


@contextmanager
def replacing(
    target: Path, draft: Path | None = None, *, sync: bool = False
) -> Iterator[Path]:
    """Do what `writing` does, and leave errors to a caller who knows what to advise.

    Parameters
    ----------
    target
        The file to write, in a folder that is there.
    draft
        The other name, in the same file system. A fixed one, where files are so large
        that what a killed process left must be written over, not lie beside; else one
        that no other process has.
    sync
        Wait until the disk has it.

    Yields
    ------
    Path
        The file to be written in the ``with`` block.

    Raises
    ------
    OSError
        From the block, or where the file cannot be put in place.
    """
    mode = None
    if draft is None:
        handle, name = tempfile.mkstemp(
            # Short, for the name itself may be as long as a name can be.
            prefix=f".{target.stem[:_STEM]}-",
            suffix=target.suffix,
            dir=target.parent,
        )
        os.close(handle)
        # mkstemp lets nobody else read; a result is an ordinary file.
        draft, mode = Path(name), 0o666 & ~_umask()
    try:
        yield draft
        if sync:
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
        if mode is not None:
            draft.chmod(mode)
        put(draft, target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def replacing_folder(
    target: Path, draft: Path | None = None, *, overwrite: bool = True
) -> Iterator[Path]:
    """Fill a folder under another name and put it in place when it is complete.

    Parameters
    ----------
    target
        The folder to write. Missing folders above it are made.
    draft
        The other name, in the same file system; ``NAME.part`` beside it if not given.
        What a killed process left there is removed.
    overwrite
        Replace a folder that is there; else it is an error.

    Yields
    ------
    Path
        A folder that is not there yet, to be made and filled in the ``with`` block. If
        the block fails, it is removed and `target` stays as it was.

    Raises
    ------
    OSError
        From the block, or where the folder cannot be put in place.
    """
    draft = draft or target.with_name(f"{target.name}.part")
    before = target.with_name(f"{target.name}.old")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        target.parent.mkdir(parents=True, exist_ok=True)
        if overwrite and target.exists():
            shutil.rmtree(before, ignore_errors=True)
            put(target, before)
            try:
                put(draft, target)
            except OSError:
                put(before, target)
                raise
            shutil.rmtree(before, ignore_errors=True)
        else:
            put(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put(draft: Path, target: Path) -> None:
    """Give a file or folder that is complete its name, in one step.

    Raises
    ------
    OSError
        If that fails; both are as they were.
    """
    os.replace(draft, target)  # noqa: PTH105  (one name for tests to break)


def not_written(target: Path, error: OSError, more: str = "") -> StorageError:
    """Say what could not be written, why, and what to do; then ``more``."""
    full = error.errno is None and "requested and" in str(error)  # numpy's short write
    number = errno.ENOSPC if full else error.errno or 0
    advice = _ADVICE.get(number, str(error))
    kind = DiskFullError if number in _FULL else StorageError
    return kind(f"Could not write {target}: {advice}.{more}")


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder, where it can be asked to.

    What was put in place before is then there after a power cut, whatever is put in
    place later.
    """
    if os.name == "nt":  # folders cannot be opened there
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    """Return the process's umask (it can only be read by setting it)."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
