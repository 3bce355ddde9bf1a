"""A real HTTP server on loopback, and archives to serve."""

import hashlib
import io
import tarfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Lock

from data.download import RemoteFile

# Seconds, longer than the wait for any response: a test that reaches it fails.
PATIENCE = 120


class Host(ThreadingHTTPServer):
    """Serves `files` (path to bytes), with the `faults` of the first requests for a path, in order.

    A fault is "breaks off" (half-way), "wrong" (contents), "silent" (until the client gives up),
    "announces" (10¹⁵ bytes), "endless" or a status such as "503". A path in `gates` is sent to the
    first clients only once as many of them as the barrier's parties have requested it.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str]] = {}
        self.gates: dict[str, Barrier] = {}
        self.requested, self.lock = [], Lock()
        super().__init__(("127.0.0.1", 0), Answer)

    def note(self, path: str) -> tuple[int, str]:
        """Returns the number of this request for the path, from 0, and its fault ("" if none)."""
        with self.lock:
            number = self.requested.count(path)
            self.requested.append(path)
        faults = self.faults.get(path, [])
        return number, faults[number] if number < len(faults) else ""

    def url(self, path: str) -> str:
        """Returns the address of a path on this host."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Answer(BaseHTTPRequestHandler):
    """The answer to one request."""

    def do_GET(self) -> None:
        """Sends the file, with its fault if it has one."""
        path = self.path.lstrip("/")
        number, fault = self.server.note(path)
        gate = self.server.gates.get(path)
        if gate is not None and number < gate.parties:
            gate.wait(PATIENCE)
        if path not in self.server.files or fault.isdecimal():
            self.send_error(int(fault or 404))
            return
        if fault == "silent":
            self.connection.settimeout(PATIENCE)  # not the client's, which may be the default here
            self.connection.recv(1)  # ends with the connection
            return
        contents = self.server.files[path]
        self.send_response(200)
        if fault != "endless":
            length = 10**15 if fault == "announces" else len(contents)
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if fault == "endless":
            with suppress(OSError):  # the client has gone
                while True:
                    self.wfile.write(contents)
            return
        if fault == "breaks off":
            contents = contents[: len(contents) // 2]
        self.wfile.write(bytes(len(contents)) if fault == "wrong" else contents)

    def log_message(self, *arguments: object) -> None:
        """Prints nothing."""


def md5(contents: bytes) -> str:
    """Returns the md5 in hexadecimal."""
    return hashlib.md5(contents).hexdigest()


def remote(url: str, contents: bytes) -> RemoteFile:
    """Returns the facts of a file at an address."""
    return RemoteFile(url, len(contents), md5(contents))


def everything_under(folder: Path) -> list[str]:
    """Returns the relative paths of all files and folders in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def archive(members: dict[str, bytes]) -> bytes:
    """Returns a .tgz archive of files with these names and contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, contents in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    return buffer.getvalue()
