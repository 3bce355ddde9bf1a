"""Downloads from a real HTTP server on loopback: complete, broken off, wrong and unsafe."""

import gzip
import os
import re
import tarfile

import pytest

from data import download as downloading
from data.catalog import CATALOG
from data.download import cache_folder, download, download_folder, unpack
from errors import RequestError
from tests.support.serving import archive, everything_under, remote

FACTS = CATALOG["mnist"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(downloading, "PAUSES", (0, 0))


@pytest.fixture
def fetch(host):
    """Downloads the one file on the host, which has contents unless a test sets others."""
    host.files["a.gz"] = b"contents" * 1000
    wanted = remote(host.url("a.gz"), host.files["a.gz"])
    return lambda target, get=download: get(FACTS, wanted, target, quiet=True)


@pytest.fixture
def fetch_folder(host):
    """Serves an archive and downloads it."""

    def serve_and_fetch(contents, target):
        host.files["a.tgz"] = contents
        download_folder(FACTS, remote(host.url("a.tgz"), contents), target, quiet=True)

    return serve_and_fetch


def test_a_whole_file(host, fetch, tmp_path):
    fetch(tmp_path / "new" / "b.gz")
    assert (tmp_path / "new" / "b.gz").read_bytes() == host.files["a.gz"]
    assert everything_under(tmp_path) == ["new", "new/b.gz"]


@pytest.mark.parametrize("get", [download, download_folder])
@pytest.mark.parametrize(
    ("fault", "tries", "reason"),
    [
        ("breaks off", 3, "failed: .*retrieval incomplete"),
        ("wrong", 3, "failed: wrong checksum: .*md5"),
        ("silent", 3, "failed: .*timed out"),
        # Neither may fill the disk.
        ("announces", 3, "failed: it has 1,000,000,000,000,000 bytes, expected at most 8,000"),
        ("endless", 3, r"failed: it has [0-9,]{5,7} bytes, expected at most 8,000"),
        ("404", 1, "failed: .*404"),  # not repeated: the host has answered
    ],
)
def test_faults_that_stay(host, fetch, tmp_path, monkeypatch, get, fault, tries, reason):
    if fault == "silent":
        monkeypatch.setattr(downloading, "TIMEOUT", 0.2)
    host.faults["a.gz"] = [fault] * 3
    wanted = tmp_path / "new" / "a.gz"
    with pytest.raises(RequestError, match=f"MNIST not found: looked for {wanted}, and .*{reason}"):
        fetch(wanted, get)
    assert host.requested == ["a.gz"] * tries
    assert everything_under(tmp_path) == ["new"]


@pytest.mark.parametrize(
    ("faults", "reasons"),
    [
        (["breaks off"], ["failed: .*retrieval incomplete"]),
        (["wrong", "503"], ["failed: wrong checksum: .*md5", "failed: .*503"]),
    ],
)
def test_a_retry_after_a_failure_prints_a_note(host, fetch, tmp_path, capsys, faults, reasons):
    host.faults["a.gz"] = faults
    fetch(tmp_path / "a.gz")
    assert (tmp_path / "a.gz").read_bytes() == host.files["a.gz"]
    assert everything_under(tmp_path) == ["a.gz"]
    assert len(host.requested) == len(faults) + 1
    lines = capsys.readouterr().err.splitlines()
    for line, reason in zip(lines, reasons, strict=True):
        assert re.fullmatch(rf"note: downloading http://\S+ {reason}.*; trying again in 0 s", line)


def test_what_a_killed_process_left_is_removed(fetch, tmp_path):
    left = tmp_path / ".new-1-1"
    left.mkdir()
    (left / "fetched").write_bytes(b"half of it")
    os.utime(left, (0, 0))
    fetch(tmp_path / "a.gz")
    assert everything_under(tmp_path) == ["a.gz"]


def test_no_such_host(host, fetch, tmp_path):
    host.shutdown()
    host.server_close()
    with pytest.raises(RequestError, match="refused"):
        fetch(tmp_path / "a.gz")


def test_an_archive_becomes_a_folder(fetch_folder, tmp_path):
    fetch_folder(archive({"a-160/train/x": b"1", "a-160/val/y": b"2"}), tmp_path / "cache" / "dogs")
    assert (tmp_path / "cache" / "dogs" / "val" / "y").read_bytes() == b"2"
    names = ["", "/dogs", "/dogs/train", "/dogs/train/x", "/dogs/val", "/dogs/val/y"]
    assert everything_under(tmp_path) == [f"cache{name}" for name in names]


@pytest.mark.parametrize(
    "contents",
    [
        archive({"a/ok": b"1", "../outside": b"2"}),
        archive({"a/x": b"1", "b/y": b"2"}),
        archive({"a": b"1"}),
        archive({}),
        archive({"a/x": bytes(range(256)) * 400})[:-30],
    ],
    ids=["outside", "two folders", "a file", "empty", "cut short"],
)
def test_an_unsafe_or_damaged_archive(fetch_folder, tmp_path, contents):
    with pytest.raises(RequestError, match="could not be unpacked"):
        fetch_folder(contents, tmp_path / "cache" / "dogs")
    assert everything_under(tmp_path) == ["cache"]


def write_tar(path, *members):
    """Writes a .tgz of empty members, each a name, a type and a link's target."""
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
        (tmp_path / "unpacked").rmdir()  # fails if it is not empty
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
def test_a_member_of_negative_size(tmp_path, monkeypatch, kind):
    """Some versions of tarfile would read such a member forever."""
    monkeypatch.setattr(downloading, "MOST_UNPACKED", 100_000)
    member = tarfile.TarInfo("a/x")
    before = member.tobuf()
    member.type, member.size = kind, -512
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(before + member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    with pytest.raises((ValueError, tarfile.TarError)) as error:
        unpack(path, tmp_path / "unpacked")
    assert "holds more than" not in str(error.value)


def test_another_process_was_first(fetch_folder, tmp_path, monkeypatch):
    """It wrote the folder while this process was still unpacking its own."""
    target = tmp_path / "cache" / "dogs"

    def unpacked_elsewhere_too(source, folder):
        unpack(source, folder)
        target.mkdir()
        (target / "x").write_bytes(b"1")

    monkeypatch.setattr(downloading, "unpack", unpacked_elsewhere_too)
    fetch_folder(archive({"a/x": b"1"}), target)
    assert everything_under(tmp_path) == ["cache", "cache/dogs", "cache/dogs/x"]


def test_a_file_in_place_of_the_folder(fetch_folder, tmp_path):
    target = tmp_path / "dogs"
    target.write_bytes(b"a file of the user's")
    with pytest.raises(RequestError, match=r"could not be unpacked: .*Not a directory"):
        fetch_folder(archive({"a/x": b"1"}), target)
    assert target.read_bytes() == b"a file of the user's"


def test_data_is_on_the_disk_before_it_gets_its_name(fetch, fetch_folder, tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "sync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, r=real: done.append(n) or r(*a))
    fetch(tmp_path / "a.gz")
    assert done == ["fsync", "replace"]
    fetch_folder(archive({"a/x": b"1"}), tmp_path / "a")
    assert done[2:] == ["sync", "replace"]


def test_the_cache_folder_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "multiple-tasks"
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_folder() == tmp_path / ".cache" / "multiple-tasks"
