"""Downloads from a real HTTP server on loopback: whole, broken off, wrong and unsafe."""

import pytest
from serving import archive, everything_under, md5

from data.download import cache_folder, download, download_archive
from errors import RequestError


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


def test_the_cache_folder_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "multiple-tasks"
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_folder() == tmp_path / ".cache" / "multiple-tasks"
