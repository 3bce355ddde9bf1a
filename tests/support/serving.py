"""A real HTTP server on loopback, and what it serves."""

import hashlib
import io
import tarfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Lock

# Longer than any answer is waited for, in seconds: a test that comes to it fails.
PATIENCE = 120


class Host(ThreadingHTTPServer):
    """Serves `files` (path to bytes), and what goes wrong is in `faults`.

    There a path has a list of what befalls the first requests for it, in order: "breaks off"
    half-way, "wrong" contents, "silent" until the client gives up, or a status such as "503". Those
    in `broken` always break off. A path in `gates` is sent to the first clients only once as many
    have asked for it as the barrier waits for.
    """

    def __init__(self) -> None:
        self.files, self.broken, self.asked = {}, set(), []
        self.faults: dict[str, list[str]] = {}
        self.gates: dict[str, Barrier] = {}
        self.counts, self.lock = Counter(), Lock()
        super().__init__(("127.0.0.1", 0), Answer)

    def note(self, path: str) -> tuple[int, str]:
        """Which request for that path this is, counted from 0, and what befalls it."""
        with self.lock:
            self.asked.append(path)
            number = self.counts[path]
            self.counts[path] += 1
        if path in self.broken:
            return number, "breaks off"
        faults = self.faults.get(path, [])
        return number, faults[number] if number < len(faults) else ""

    def url(self, path: str) -> str:
        """The address of a path on this host."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Answer(BaseHTTPRequestHandler):
    """The answer to one request."""

    def do_GET(self) -> None:
        """Sends the file, or what goes wrong."""
        path = self.path.lstrip("/")
        number, fault = self.server.note(path)
        gate = self.server.gates.get(path)
        if gate is not None and number < gate.parties:
            gate.wait(PATIENCE)
        if path not in self.server.files or fault.isdecimal():
            self.send_error(int(fault or 404))
            return
        if fault == "silent":
            self.connection.settimeout(PATIENCE)  # the client's own may be every socket's here
            self.connection.recv(1)  # ends with the connection
            return
        contents = self.server.files[path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        if fault == "breaks off":
            contents = contents[: len(contents) // 2]
        self.wfile.write(bytes(len(contents)) if fault == "wrong" else contents)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def md5(contents: bytes) -> str:
    """Their md5 in hexadecimal."""
    return hashlib.md5(contents).hexdigest()


def everything_under(folder: Path) -> list[str]:
    """All files and folders in it, from there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def archive(members: dict[str, bytes]) -> bytes:
    """A .tgz of names and their contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, contents in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    return buffer.getvalue()
