"""Downloads from a real HTTP server on loopback: whole, broken off, wrong and unsafe."""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from conftest import write_idx, write_mnist
from PIL import Image

from data import dogs, mnist
from data.download import cache_folder, download, download_archive
from errors import RequestError


class Host(ThreadingHTTPServer):
    """Serves `files` (path to bytes) and breaks off half-way through those in `broken`."""

    def __init__(self):
        self.files, self.broken, self.asked = {}, set(), []
        super().__init__(("127.0.0.1", 0), Answer)

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
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

    def log_message(self, *arguments):
        pass


@pytest.fixture
def host():
    with Host() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def md5(contents):
    return hashlib.md5(contents).hexdigest()


def everything_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_whole_file(host, tmp_path):
    host.files["a.gz"] = b"contents" * 1000
    download(host.url("a.gz"), md5(host.files["a.gz"]), tmp_path / "new" / "b.gz", quiet=True)
    assert (tmp_path / "new" / "b.gz").read_bytes() == host.files["a.gz"]
    assert everything_under(tmp_path) == ["new", "new/b.gz"]


def test_one_that_breaks_off(host, tmp_path):
    host.files["a.gz"] = b"contents" * 1000
    host.broken.add("a.gz")
    with pytest.raises(RequestError, match=r"downloading http://.*/a.gz failed"):
        download(host.url("a.gz"), md5(host.files["a.gz"]), tmp_path / "new" / "a.gz", quiet=True)
    assert everything_under(tmp_path) == []


def test_wrong_contents(host, tmp_path):
    host.files["a.gz"] = b"other contents"
    with pytest.raises(RequestError, match="hash"):
        download(host.url("a.gz"), md5(b"contents"), tmp_path / "new" / "a.gz", quiet=True)
    assert everything_under(tmp_path) == []


def test_no_such_file_and_no_such_host(host, tmp_path):
    with pytest.raises(RequestError, match="404"):
        download(host.url("a.gz"), "0" * 32, tmp_path / "a.gz", quiet=True)
    port = host.server_port
    host.shutdown()
    host.server_close()
    with pytest.raises(RequestError, match="refused"):
        download(f"http://127.0.0.1:{port}/a.gz", "0" * 32, tmp_path / "a.gz", quiet=True)


def archive(members):
    """A .tgz of names and their contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, contents in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    return buffer.getvalue()


def test_an_archive_becomes_a_folder(host, tmp_path):
    host.files["a.tgz"] = archive({"a-160/train/x": b"1", "a-160/val/y": b"2"})
    download_archive(
        host.url("a.tgz"), md5(host.files["a.tgz"]), tmp_path / "cache" / "dogs", quiet=True
    )
    assert (tmp_path / "cache" / "dogs" / "val" / "y").read_bytes() == b"2"
    assert everything_under(tmp_path / "cache") == [
        "dogs",
        "dogs/train",
        "dogs/train/x",
        "dogs/val",
        "dogs/val/y",
    ]


@pytest.mark.parametrize(
    "members",
    [{"a/ok": b"1", "../outside": b"2"}, {"a/../../outside": b"2"}, {"a/x": b"1", "b/y": b"2"}],
)
def test_an_unsafe_archive(host, tmp_path, members):
    host.files["a.tgz"] = archive(members)
    with pytest.raises(RequestError, match="could not be unpacked"):
        download_archive(
            host.url("a.tgz"), md5(host.files["a.tgz"]), tmp_path / "cache" / "dogs", quiet=True
        )
    assert everything_under(tmp_path) == []


def test_an_archive_cut_short(host, tmp_path):
    host.files["a.tgz"] = archive({"a/x": bytes(range(256)) * 400})[:-30]
    with pytest.raises(RequestError, match="could not be unpacked"):
        download_archive(
            host.url("a.tgz"), md5(host.files["a.tgz"]), tmp_path / "cache" / "dogs", quiet=True
        )
    assert everything_under(tmp_path) == []


def serve_mnist(host, folder, monkeypatch):
    """Puts a tiny MNIST on the host, with the md5 that its files have."""
    write_mnist(folder, suffix=".gz")
    host.files |= {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(mnist, "URL", host.url(""))
    monkeypatch.setattr(mnist, "MD5", {name: md5(host.files[f"{name}.gz"]) for name in mnist.MD5})


def test_mnist_is_downloaded_once(host, tmp_path, monkeypatch):
    serve_mnist(host, tmp_path / "served", monkeypatch)
    assert mnist.load(None, quiet=True).train.images.shape == (40, 28, 28, 1)
    assert len(host.asked) == 4
    assert mnist.load(None, quiet=True).test.images.shape == (25, 28, 28, 1)
    assert len(host.asked) == 4
    assert everything_under(cache_folder()) == [
        "mnist",
        *sorted(f"mnist/{name}.gz" for name in mnist.MD5),
    ]


def test_only_what_is_missing_is_downloaded(host, tmp_path, monkeypatch):
    serve_mnist(host, tmp_path / "served", monkeypatch)
    write_idx(cache_folder() / "mnist" / mnist.TRAIN_LABELS, np.zeros(40))
    mnist.load(None, quiet=True)
    assert f"{mnist.TRAIN_LABELS}.gz" not in host.asked
    assert len(host.asked) == 3


def test_a_download_that_broke_off_is_taken_up_again(host, tmp_path, monkeypatch):
    serve_mnist(host, tmp_path / "served", monkeypatch)
    host.broken.add(f"{mnist.TEST_IMAGES}.gz")
    with pytest.raises(RequestError, match=r"MNIST not found: .*--data-dir.*network.*--fake-data"):
        mnist.load(None, quiet=True)
    assert f"mnist/{mnist.TEST_IMAGES}.gz" not in everything_under(cache_folder())
    host.broken.clear()
    assert len(mnist.load(None, quiet=True).test.labels) == 25


def test_imagewoof_is_downloaded_and_unpacked(host, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (9, 99, 200)).save(buffer, "JPEG")
    host.files["woof.tgz"] = archive(
        {
            f"imagewoof2-160/{split}/{breed}/{number}.JPEG": buffer.getvalue()
            for split in ("train", "val")
            for breed in ("n02115641", "n02088364")
            for number in range(3)
        }
    )
    monkeypatch.setattr(dogs, "URL", host.url("woof.tgz"))
    monkeypatch.setattr(dogs, "MD5", md5(host.files["woof.tgz"]))
    dataset = dogs.load(None, quiet=True)
    assert dataset.class_names == ("beagle", "dingo")
    assert dataset.test.images.shape == (6, 28, 28, 3)
    dogs.load(None, quiet=True)
    assert host.asked == ["woof.tgz"]


def test_dogs_that_cannot_be_downloaded(host, monkeypatch):
    monkeypatch.setattr(dogs, "URL", host.url("nothing.tgz"))
    with pytest.raises(RequestError, match=r"not found: looked for .*404.*--data-dog-dir.*--fake"):
        dogs.load(None, quiet=True)
    assert everything_under(cache_folder()) == []


def test_the_cache_folder_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "multiple-tasks"
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_folder() == tmp_path / ".cache" / "multiple-tasks"
