"""A real HTTP server on loopback, and what it serves."""

import hashlib
import io
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Host(ThreadingHTTPServer):
    """Serves `files` (path to bytes) and breaks off half-way through those in `broken`."""

    def __init__(self) -> None:
        self.files, self.broken, self.asked = {}, set(), []
        super().__init__(("127.0.0.1", 0), Answer)

    def url(self, path: str) -> str:
        """The address of a path on this host."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Answer(BaseHTTPRequestHandler):
    """The answer to one request."""

    def do_GET(self) -> None:
        """Sends the file, half of it, or that there is none."""
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        if path not in self.server.files:
            self.send_error(404)
            return
        contents = self.server.files[path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        self.wfile.write(contents[: len(contents) // 2] if path in self.server.broken else contents)

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
