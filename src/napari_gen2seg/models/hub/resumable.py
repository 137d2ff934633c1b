"""Bring one file over, going on where an earlier try stopped.

The bytes so far are in ``<fingerprint>.part`` beside a sidecar that says what they
are. A killed process, a cut connection or a closed laptop therefore costs nothing:
the next try asks for the rest with a ``Range`` request. The file takes its place by
renaming, after its size and (where the hub tells it) its SHA-256 were checked.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from napari_gen2seg.common.atomic import put
from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.errors import (
    DownloadError,
    Gen2SegError,
    OfflineError,
    StorageError,
)
from napari_gen2seg.models.hub.client import is_offline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_gen2seg.models.hub.client import RemoteFile

CHUNK = 1 << 20
#: Tries in a row that bring no byte before giving up.
TRIES = 5
_TIMEOUT = 30.0


def download_file(
    find: Callable[[], RemoteFile],
    target: Path,
    parts: Path,
    *,
    advance: Callable[[int], None],
    cancel: Cancel | None = None,
) -> RemoteFile:
    """Bring one file over.

    Parameters
    ----------
    find
        Asks the hub where the file is; asked again for every try, since addresses
        of large files expire.
    target
        Where the file shall be.
    parts
        Folder for unfinished files.
    advance
        Called with the number of bytes of this file that are here.
    cancel
        Asked after every megabyte. What is here stays for the next time.

    Raises
    ------
    OfflineError
        If the connection does not come back after several tries.
    DownloadError
        If the server answers with an error or with other bytes than announced.
    StorageError
        If the disk is full or not writable.
    Cancelled
        If ``cancel`` said so.
    """
    failures = mismatches = seen = 0
    while True:
        try:
            remote = find()
            part = parts / f"{_safe(remote.etag)}.part"
            have = _resume_at(part, remote)
            if have < remote.size:
                _append(remote, part, have, advance, cancel)
            if _whole(part, remote):
                _finish(part, target)
                advance(remote.size)
                return remote
            mismatches += 1
            part.unlink()
            if mismatches > 1:
                raise DownloadError(
                    f"The file {remote.name} arrived twice with other content than the "
                    "hub announced. Something between here and the hub changes it, "
                    "such as a proxy: try another network."
                )
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            _raise_if_final(error, target)
            here = sum(_size(p) for p in parts.glob("*.part"))
            failures = 0 if here > seen else failures + 1
            seen = here
            if failures >= TRIES:
                raise OfflineError(
                    f"The connection broke {TRIES} times in a row while bringing "
                    f"{target.name} ({error}). What came over is kept: try again when "
                    "the network is back."
                ) from error
            for _ in range(2**failures):
                check_cancel(cancel, "The download")
                _pause(0.5)


def resumable_bytes(parts: Path, remote: RemoteFile) -> int:
    """Return how many bytes of a file are here from earlier tries."""
    part = parts / f"{_safe(remote.etag)}.part"
    return min(_size(part), remote.size) if _sidecar_fits(part, remote) else 0


def _append(
    remote: RemoteFile,
    part: Path,
    have: int,
    advance: Callable[[int], None],
    cancel: Cancel | None,
) -> None:
    """Ask for the bytes from ``have`` on and append them."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "napari-gen2seg"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(remote.url, headers=headers)  # noqa: S310
    for key, value in remote.headers.items():
        request.add_unredirected_header(key, value)
    with urllib.request.urlopen(  # noqa: S310
        request, timeout=_TIMEOUT, context=_certificates(remote.url)
    ) as answer:
        if have and not _continues(answer, have):
            have = 0
        with part.open("r+b" if part.exists() else "wb") as stream:
            stream.truncate(have)
            stream.seek(have)
            while have < remote.size:
                check_cancel(cancel, "The download")
                data = answer.read1(min(CHUNK, remote.size - have))
                if not data:
                    raise http.client.IncompleteRead(b"", remote.size - have)
                stream.write(data)
                stream.flush()
                have += len(data)
                advance(have)
            os.fsync(stream.fileno())


def _continues(answer: http.client.HTTPResponse, have: int) -> bool:
    """Tell whether the server goes on at ``have`` rather than starting again."""
    begin = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return answer.status == 206 and begin is not None and int(begin[1]) == have


def _resume_at(part: Path, remote: RemoteFile) -> int:
    """Return where to go on; writes the sidecar of a new part."""
    if _sidecar_fits(part, remote) and _size(part) <= remote.size:
        return _size(part)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    facts = {"name": remote.name, "etag": remote.etag, "size": remote.size}
    _sidecar(part).write_text(json.dumps(facts), encoding="utf-8")
    return 0


def _sidecar(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _sidecar_fits(part: Path, remote: RemoteFile) -> bool:
    try:
        facts = json.loads(_sidecar(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = (remote.etag, remote.size)
    return isinstance(facts, dict) and (facts.get("etag"), facts.get("size")) == wanted


def _whole(part: Path, remote: RemoteFile) -> bool:
    """Check size and, where the fingerprint is one, the SHA-256."""
    if remote.size == 0:
        part.touch()
    if _size(part) != remote.size:
        return False
    if not re.fullmatch(r"[0-9a-f]{64}", remote.etag):
        return True
    with part.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == remote.etag


def _finish(part: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    put(part, target)
    _sidecar(part).unlink(missing_ok=True)


def _raise_if_final(error: Exception, target: Path) -> None:
    """Raise what another try cannot mend."""
    if isinstance(error, OfflineError) and not is_offline():
        return
    if isinstance(error, Gen2SegError):
        raise error
    if isinstance(error, urllib.error.HTTPError):
        # 401/403: the address expired; 408, 429 and 5xx: the server is busy.
        if error.code in (401, 403, 408, 416, 429) or error.code >= 500:
            return
        raise DownloadError(
            f"The hub answered {error.code} ({error.reason}) for {target.name}. Try "
            "again later, or check the model's page."
        ) from error
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        raise StorageError(
            f"The disk is full: {target.name} could not be written completely. Make "
            "room and try again; what came over is kept."
        ) from error
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        raise StorageError(
            f"{target} cannot be written ({error}). Make the folder writable, or set "
            "NAPARI_GEN2SEG_HOME to another one."
        ) from error


def _certificates(url: str) -> ssl.SSLContext | None:
    """Return certificates to check an address with; None for plain HTTP."""
    if not url.startswith("https:"):
        return None
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _safe(etag: str) -> str:
    """Make a file name of a fingerprint."""
    return re.sub(r"[^\w-]", "_", etag)[:80] or "file"
