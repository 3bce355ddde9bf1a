"""Downloads from a real HTTP server on loopback: whole, broken off, wrong and unsafe."""

import gzip
import os
import re
import tarfile

import pytest

from data import download as downloading
from data.download import cache_folder, download, download_archive, unpack
from errors import RequestError
from tests.support.serving import archive, everything_under, md5


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(downloading, "PAUSES", (0, 0))


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
    assert host.asked == ["a.gz"] * 3
    assert everything_under(tmp_path) == ["new"]


def test_wrong_contents(host, tmp_path):
    host.files["a.gz"] = b"other contents"
    with pytest.raises(RequestError, match=r"failed: wrong checksum: .*md5"):
        download(host.url("a.gz"), md5(b"contents"), tmp_path / "new" / "a.gz", quiet=True)
    assert host.asked == ["a.gz"] * 3
    assert everything_under(tmp_path) == ["new"]


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (["breaks off"], ["failed: .*retrieval incomplete"]),
        (["wrong"], ["failed: wrong checksum: .*md5"]),
        (["wrong", "503"], ["failed: wrong checksum: .*md5", "failed: .*503"]),
    ],
)
def test_what_fails_is_tried_again_and_told(host, tmp_path, capsys, faults, told):
    host.files["a.gz"] = b"contents" * 1000
    host.faults["a.gz"] = faults
    download(host.url("a.gz"), md5(host.files["a.gz"]), tmp_path / "a.gz", quiet=True)
    assert (tmp_path / "a.gz").read_bytes() == host.files["a.gz"]
    assert everything_under(tmp_path) == ["a.gz"]
    assert len(host.asked) == len(faults) + 1
    lines = capsys.readouterr().err.splitlines()
    for line, why in zip(lines, told, strict=True):
        assert re.fullmatch(
            rf"note: downloading http://\S+ {why}.*; it is tried again in 0 s", line
        )


def test_a_host_that_does_not_answer(host, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "TIMEOUT", 0.2)
    host.files["a.gz"] = b"contents"
    host.faults["a.gz"] = ["silent"] * 3
    with pytest.raises(RequestError, match="timed out"):
        download(host.url("a.gz"), md5(b"contents"), tmp_path / "a.gz", quiet=True)
    assert host.asked == ["a.gz"] * 3


def test_no_such_file_and_no_such_host(host, tmp_path):
    with pytest.raises(RequestError, match="404"):
        download(host.url("a.gz"), "0" * 32, tmp_path / "a.gz", quiet=True)
    assert host.asked == ["a.gz"]  # which is an answer
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
    [
        {"a/ok": b"1", "../outside": b"2"},
        {"a/../../outside": b"2"},
        {"a/x": b"1", "b/y": b"2"},
        {"a": b"1"},
        {},
    ],
)
def test_an_unsafe_archive(host, tmp_path, members):
    host.files["a.tgz"] = archive(members)
    with pytest.raises(RequestError, match="could not be unpacked"):
        download_archive(
            host.url("a.tgz"), md5(host.files["a.tgz"]), tmp_path / "cache" / "dogs", quiet=True
        )
    assert everything_under(tmp_path) == ["cache"]


def write_tar(path, *members):
    """A .tgz of empty members, each with its name, its type and what it links to."""
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            tar.addfile(member)
    return path


def test_links_and_devices_are_left_out(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    path = write_tar(
        tmp_path / "a.tgz",
        ("a/link", tarfile.SYMTYPE, str(outside)),
        ("a/link/x", tarfile.REGTYPE, ""),
        ("a/hard", tarfile.LNKTYPE, str(tmp_path / "a.tgz")),
        ("a/pipe", tarfile.FIFOTYPE, ""),
        ("a/device", tarfile.CHRTYPE, ""),
    )
    unpack(path, tmp_path / "unpacked")
    assert everything_under(tmp_path / "unpacked") == ["a", "a/link", "a/link/x"]
    assert everything_under(outside) == []


@pytest.mark.parametrize("name", ["/outside", "..", "a/../..", "../unpacked-not/x"])
def test_names_outside_are_refused(tmp_path, name):
    for kind in (tarfile.REGTYPE, tarfile.DIRTYPE):
        path = write_tar(tmp_path / "a.tgz", (name, kind, ""))
        with pytest.raises(ValueError, match="would lie outside the folder"):
            unpack(path, tmp_path / "unpacked")
        (tmp_path / "unpacked").rmdir()  # which is empty
    assert everything_under(tmp_path) == ["a.tgz"]


def test_an_archive_that_would_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "MOST_UNPACKED", 10_000)
    path = tmp_path / "a.tgz"
    path.write_bytes(archive({"a/x": bytes(4_000), "a/y": bytes(4_000)}))
    unpack(path, tmp_path / "fits")
    for place, members in enumerate(
        [{"a/x": bytes(4_000), "a/y": bytes(7_000)}, {f"a/{n}": b"" for n in range(20)}]
    ):
        path.write_bytes(archive(members))
        with pytest.raises(ValueError, match="more than 10,000 bytes"):
            unpack(path, tmp_path / f"unpacked{place}")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE])
def test_a_member_that_states_a_size_below_nothing(tmp_path, monkeypatch, kind):
    """Some versions of tarfile would read such a member for ever."""
    monkeypatch.setattr(downloading, "MOST_UNPACKED", 100_000)
    member = tarfile.TarInfo("a/x")
    before = member.tobuf()
    member.type, member.size = kind, -512
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(before + member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    with pytest.raises((ValueError, tarfile.TarError)) as error:
        unpack(path, tmp_path / "unpacked")
    assert "holds more than" not in str(error.value)


def test_another_process_was_first(host, tmp_path, monkeypatch):
    """It has put the folder into place while this one was still unpacking its own."""
    target = tmp_path / "cache" / "dogs"

    def unpacked_elsewhere_too(source, folder):
        unpack(source, folder)
        target.mkdir()
        (target / "x").write_bytes(b"1")

    host.files["a.tgz"] = archive({"a/x": b"1"})
    monkeypatch.setattr(downloading, "unpack", unpacked_elsewhere_too)
    download_archive(host.url("a.tgz"), md5(host.files["a.tgz"]), target, quiet=True)
    assert everything_under(tmp_path) == ["cache", "cache/dogs", "cache/dogs/x"]


def test_a_file_where_the_folder_belongs(host, tmp_path):
    target = tmp_path / "dogs"
    target.write_bytes(b"a file of the user's")
    host.files["a.tgz"] = archive({"a/x": b"1"})
    with pytest.raises(RequestError, match=r"could not be unpacked: .*Not a directory"):
        download_archive(host.url("a.tgz"), md5(host.files["a.tgz"]), target, quiet=True)
    assert target.read_bytes() == b"a file of the user's"


def test_what_is_put_into_place_is_on_the_disk_before(host, tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "sync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, r=real: done.append(n) or r(*a))
    host.files |= {"a.gz": b"contents", "a.tgz": archive({"a/x": b"1"})}
    download(host.url("a.gz"), md5(b"contents"), tmp_path / "a.gz", quiet=True)
    assert done == ["fsync", "replace"]
    download_archive(host.url("a.tgz"), md5(host.files["a.tgz"]), tmp_path / "a", quiet=True)
    assert done[2:] == ["sync", "replace"]


def test_an_archive_cut_short(host, tmp_path):
    host.files["a.tgz"] = archive({"a/x": bytes(range(256)) * 400})[:-30]
    with pytest.raises(RequestError, match="could not be unpacked"):
        download_archive(
            host.url("a.tgz"), md5(host.files["a.tgz"]), tmp_path / "cache" / "dogs", quiet=True
        )
    assert everything_under(tmp_path) == ["cache"]


def test_the_cache_folder_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "multiple-tasks"
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_folder() == tmp_path / ".cache" / "multiple-tasks"
