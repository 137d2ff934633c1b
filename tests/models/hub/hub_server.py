"""A stand-in for the Hugging Face hub on 127.0.0.1, with faults on request."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path


class StandIn:
    """Serves model folders as ``owner/name`` at one commit each.

    Attributes
    ----------
    requests
        (method, path, Range header) of everything asked.
    cut_after
        Bytes after which a large answer is cut off; None never.
    cuts_left
        How many answers are still to be cut.
    status
        Answer every file with this status instead.
    flip
        Change the bytes on their way.
    slow
        Seconds to wait after each 64 kB, and before each answer to an upload.
    uploaded
        Repository -> files of the last commit to it.
    refuse
        Answer uploads with this status instead.
    """

    def __init__(self) -> None:
        self.repos: dict[str, tuple[str, dict[str, bytes], dict[str, Any]]] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.cut_after: int | None = None
        self.cuts_left = 10**9
        self.status: int | None = None
        self.flip = False
        self.slow = 0.0
        self.uploaded: dict[str, dict[str, bytes]] = {}
        self.refuse: int | None = None
        self.halt = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                pass

            def do_HEAD(self) -> None:
                stand_in.answer(self)

            def do_GET(self) -> None:
                stand_in.answer(self)

            def do_POST(self) -> None:
                stand_in.take(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(
        self, repo: str, folder: Path, licence: str = "", **extra: bytes
    ) -> dict[str, bytes]:
        """Serve a folder; returns its files."""
        files = {
            str(p.relative_to(folder)): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        }
        files |= extra
        digest = hashlib.sha1(repr(sorted(files.items())).encode())  # noqa: S324
        card = {"license": licence} if licence else {}
        self.repos[repo] = (digest.hexdigest(), files, card)
        return files

    def close(self) -> None:
        self.halt.set()
        self.server.shutdown()
        self.server.server_close()

    def gets(self, name: str) -> list[str | None]:
        """Return the Range headers of the GET requests for one file."""
        return [r for m, p, r in self.requests if m == "GET" and p.endswith(name)]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(handler.path).path)
        wanted = handler.headers.get("Range")
        self.requests.append((handler.command, path, wanted))
        listing = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        tree = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/(.+)", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        match = tree or listing or file
        if match is None or match[1] not in self.repos:
            self._error(handler, 404, "RepoNotFound")
            return
        commit, files, card = self.repos[match[1]]
        if match[2] not in (None, "main", commit):
            self._error(handler, 404, "RevisionNotFound")
        elif tree:
            entries = [
                {
                    "type": "file",
                    "path": name,
                    "size": len(data),
                    "oid": hashlib.sha1(data).hexdigest(),  # noqa: S324
                }
                for name, data in files.items()
            ]
            self._send(handler, json.dumps(entries).encode(), {})
        elif listing:
            names = [{"rfilename": name} for name in files]
            facts = {"id": match[1], "sha": commit, "siblings": names, "cardData": card}
            facts |= {"private": False, "gated": False}
            self._send(handler, json.dumps(facts).encode(), {})
        elif file and file[3] not in files:
            self._error(handler, 404, "EntryNotFound")
        elif self.status and handler.command == "GET":
            self._error(handler, self.status, "")
        elif file:
            self._file(handler, files[file[3]], commit, wanted)

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer what an upload asks: make, ask how, commit."""
        path = unquote(urlsplit(handler.path).path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.requests.append(("POST", path, None))
        commit = re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path)
        if self.slow and self.halt.wait(self.slow):
            return
        answer: dict[str, Any] = {}
        if self.refuse is not None:
            self._error(handler, self.refuse, "")
            return
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            answer = {"url": f"{self.url}/{name}", "private": asked.get("private")}
            self.uploaded.setdefault(name, {})
        elif path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            answer = {
                "files": [
                    {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for f in files
                ]
            }
        elif commit:
            kept = self.uploaded.setdefault(commit[1], {})
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    content = base64.b64decode(entry["value"]["content"])
                    kept[entry["value"]["path"]] = content
            address = f"{self.url}/{commit[1]}/commit/{'0' * 40}"
            answer = {"commitUrl": address, "commitOid": "0" * 40}
        self._send(handler, json.dumps(answer).encode(), {})

    def _file(
        self,
        handler: BaseHTTPRequestHandler,
        data: bytes,
        commit: str,
        wanted: str | None,
    ) -> None:
        headers = {
            "ETag": f'"{hashlib.sha256(data).hexdigest()}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
        }
        if self.flip:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if wanted is None or handler.command == "HEAD":
            self._send(handler, data, headers)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(handler, data[start:], headers, 206)

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        data: bytes,
        headers: dict[str, str],
        status: int = 200,
    ) -> None:
        handler.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(data))}).items():
            handler.send_header(key, value)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        limit = len(data)
        if self.cut_after is not None and limit > self.cut_after and self.cuts_left > 0:
            self.cuts_left -= 1
            limit = self.cut_after
        try:
            for begin in range(0, limit, 1 << 16):
                handler.wfile.write(data[begin : min(begin + (1 << 16), limit)])
                if self.slow and self.halt.wait(self.slow):
                    break
        except OSError:
            pass  # the client went away: that is what some tests are about
        if limit < len(data):
            handler.close_connection = True

    def _error(self, handler: BaseHTTPRequestHandler, status: int, code: str) -> None:
        handler.send_response(status)
        if code:
            handler.send_header("X-Error-Code", code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
