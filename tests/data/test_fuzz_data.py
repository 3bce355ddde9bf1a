"""Damaged data of every kind is refused in one line or loaded soundly; nothing else happens."""

import gzip
import io
import os
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import download
from data.catalog import CATALOG
from data.download import RemoteFile
from tests.support.datasets import (
    check_equal,
    load_tiny,
    write_cifar10,
    write_cifar100,
    write_kaggle,
    write_mnist,
    write_omniglot,
)
from tests.support.fuzzing import cases, damaged, outcome, put_for_now, snapshot
from tests.support.serving import archive

SIZE = 28
# The types of tar members besides plain files: links, devices, a folder, a pipe, GNU's sparse file
# and long names, and a POSIX header.
TYPES = (b"1", b"2", b"3", b"4", b"5", b"6", b"S", b"K", b"L", b"x")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working directory so deep that the tests notice files written above it."""
    folder = tmp_path / "a" / "b" / "home"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def load(name, data_dir, **others):
    """Loads a dataset as the command does."""
    return load_tiny([name], data_dir, **others)[name]


def check_contract(dataset, channels):
    """Checks that a dataset is what the rest of the program expects."""
    for split in (dataset.train, dataset.test):
        assert split.images.dtype == np.uint8
        assert split.images.shape == (len(split.labels), SIZE, SIZE, channels)
        assert split.labels.dtype == np.int32 and split.labels.ndim == 1
        assert len(split.labels) > 0
        assert split.labels.min() >= 0 and split.labels.max() < len(dataset.class_names)
    assert all(isinstance(name, str) and name for name in dataset.class_names)


def fuzz(home, count, damages, attempt, channels, written=()):
    """Calls `attempt` after damaging one file at a time.

    `damages` maps each file to its damaged contents; `written` lists files that loading may write.
    """

    @cases(count)
    @given(st.data())
    def check(data):
        path = data.draw(st.sampled_from(list(damages)))
        # In one of twenty cases a folder is in its place.
        folder = data.draw(st.integers(0, 19)) == 7
        with put_for_now(path, None if folder else data.draw(damages[path])):
            before = snapshot(home.parents[1])
            dataset, text = outcome(attempt)
            if dataset is not None:
                check_contract(dataset, channels)
                assert re.fullmatch(r"(note: .*\n)?", text)
            after = snapshot(home.parents[1])
        changed = {each for each in before | after if before.get(each, 0) != after.get(each, 0)}
        assert changed <= set(written)

    check()


def zip_up(contents):
    """Returns gzipped contents without a time stamp."""
    return gzip.compress(contents, mtime=0)


def gzipped(contents):
    """Damages gzipped contents, after or before they are gzipped."""
    unpacked = gzip.decompress(contents)
    return damaged(zip_up(unpacked)) | damaged(unpacked).map(zip_up)


@pytest.mark.parametrize(("suffix", "damage"), [("", damaged), (".gz", gzipped)])
def test_idx_files(home, suffix, damage):
    folders = write_mnist(home / "mnist", 10, 10, suffix), write_mnist(home / "other", 9, 8, suffix)
    contents = {path: path.read_bytes() for folder in folders for path in sorted(folder.iterdir())}
    # Or another of the files, which is sound but does not belong there.
    others = st.sampled_from(list(contents.values()))
    damages = {
        path: st.one_of(*[damage(sound)] * 4, others)
        for path, sound in contents.items()
        if path.parent == folders[0]
    }
    fuzz(home, 250, damages, lambda: load("mnist", home), channels=1)


@pytest.mark.parametrize(
    ("name", "folder", "write", "record"),
    [
        ("cifar10", "cifar-10-batches-bin", write_cifar10, 3073),
        ("cifar100", "cifar-100-binary", write_cifar100, 3074),
    ],
)
def test_cifar(home, name, folder, write, record):
    paths = sorted(write(home / folder).iterdir())
    damages = {path: damaged(path.read_bytes()[: 2 * record]) for path in paths}
    fuzz(home, 150, damages, lambda: load(name, home), channels=3)


def write_dogs(folder):
    """Writes photographs of a fixed date, which is part of the cache's fingerprint."""
    write_kaggle(folder, each=2)
    for path in folder.glob("train/*"):
        os.utime(path, (0, 0))
    return folder


def text_of_labels(contents):
    """Draws a labels.csv of lines that are sound, strange, or name files elsewhere."""
    lines = contents.decode().splitlines()
    names = ["../dogs/train/beagle0", "/etc/passwd", "beagle0/../dingo1", "..", "\0", "Ω" * 90, '"']
    field = st.sampled_from(["beagle0", "dingo1", *names]) | st.text(max_size=120)
    line = st.sampled_from(lines) | st.lists(field, max_size=4).map(",".join)
    several = st.lists(line, max_size=12) | st.permutations(lines[1:])
    return several.map(lambda drawn: "\n".join([lines[0], *drawn]).encode("utf-8", "surrogatepass"))


def test_labels_of_photographs(home):
    path = write_dogs(home / "dogs") / "labels.csv"
    contents = path.read_bytes()
    damages = {path: damaged(contents) | text_of_labels(contents)}
    cache = home / "dogs" / f"dogs-{SIZE}px.npz"
    fuzz(home, 250, damages, lambda: load("dogs", home), channels=3, written=[cache])


def test_photographs(home):
    folder = write_dogs(home / "dogs")
    damages = {path: damaged(path.read_bytes()) for path in sorted(folder.glob("train/*.jpg"))}
    cache = home / "dogs" / f"dogs-{SIZE}px.npz"
    fuzz(home, 200, damages, lambda: load("dogs", home), channels=3, written=[cache])


@pytest.mark.parametrize("use_pickle", [False, True])
def test_caches_of_dogs_are_rebuilt(home, use_pickle):
    write_dogs(home / "dogs")
    expected = load("dogs", home)
    path = home / "dogs" / f"dogs-{SIZE}px.npz"
    sound = path.read_bytes()

    @cases(200)
    @given(damaged(sound))
    def check(contents):
        with put_for_now(path, contents):
            before = snapshot(home.parents[1])
            dataset, text = outcome(lambda: load("dogs", home, use_pickle=use_pickle))
            check_equal(dataset, expected)
            # Where its beginning is damaged, it may be another program's file.
            kept = f"note: the decoded dogs are not cached: {path} (this program did not write it"
            notes = (kept, f"note: {path} cannot be used: ")
            assert all(line.startswith(notes[: 1 + use_pickle]) for line in text.splitlines())
            assert path.read_bytes() == contents if kept in text else text.count("\n") <= 1
            if text or not use_pickle:
                assert path.read_bytes() in (sound, contents)
            assert snapshot(home.parents[1]) | {path: b""} == before | {path: b""}

    check()


@st.composite
def packed_again(draw, contents, compression):
    """Damages one file in a zip file before it is packed, so that its checksum agrees."""
    members = unpacked(contents)
    chosen = draw(st.sampled_from(sorted(members)))
    return packed(members | {chosen: draw(damaged(members[chosen]))}, compression)


def unpacked(contents):
    """Returns the names and contents in a zip file."""
    with zipfile.ZipFile(io.BytesIO(contents)) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(members, compression=zipfile.ZIP_DEFLATED):
    """Returns a zip file without time stamps."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, each in members.items():
            file.writestr(zipfile.ZipInfo(name), each, compression)
    return buffer.getvalue()


def test_caches_of_other_programs(home):
    write_dogs(home / "dogs")
    load("dogs", home)
    path = home / "dogs" / f"dogs-{SIZE}px.npz"
    sound = path.read_bytes()
    damages = {
        path: packed_again(sound, zipfile.ZIP_STORED) | packed_again(sound, zipfile.ZIP_DEFLATED)
    }
    fuzz(home, 150, damages, lambda: load("dogs", home), channels=3, written=[path])


def test_omniglots_zip_files(home):
    folder = write_omniglot(home / "omniglot", {"Greek": 1, "Latin": 1}, drawers=5)
    contents = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    damages = {
        path: damaged(packed(unpacked(sound))) | packed_again(sound, zipfile.ZIP_DEFLATED)
        for path, sound in contents.items()
    }
    fuzz(home, 250, damages, lambda: load("omniglot", home), channels=1)


@st.composite
def strange_archives(draw, home):
    """Draws a well-formed .tgz whose members have arbitrary names, types, sizes and links."""
    names = ["woof/a", "woof/a/b", "woof", "..", "../../../out", ".", "woof/../../../../out"]
    names += [f"{home}/out", "x" * 300]
    name = st.sampled_from(names) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)
    contents = b""
    for _ in range(draw(st.integers(0, 5))):
        member = tarfile.TarInfo(draw(name))
        member.type = draw(st.sampled_from([b"0", b"0", *TYPES]))
        member.linkname = draw(name)
        member.size = draw(st.sampled_from([0, 3, 3, 1 << 40, -512, -(1 << 40)]))
        contents += member.tobuf(tarfile.GNU_FORMAT) + bytes(512 * (member.size == 3))
    return zip_up(contents + bytes(1024))


def test_archives_that_are_downloaded(home, monkeypatch):
    sound = archive({"woof/train/x/1.jpg": b"1" * 700, "woof/val/x/2.jpg": b"2", "woof/z": b""})
    facts, fetched, target = CATALOG["dogs"], home / "a.tgz", home / "cache" / "woof"
    monkeypatch.setattr(
        download, "fetch", lambda remote, folder, _: Path(shutil.copy(fetched, folder))
    )
    monkeypatch.setattr(os, "sync", lambda: None)  # it is slow
    target.parent.mkdir()

    @cases(200)
    @given(gzipped(sound) | strange_archives(home))
    def check(contents):
        fetched.write_bytes(contents)
        before = snapshot(home.parents[1])
        outcome(
            lambda: download.download_folder(
                facts, RemoteFile("http://host/a.tgz", 0, ""), target, quiet=True
            )
        )
        after = snapshot(home.parents[1])
        written = {path: kept for path, kept in after.items() if path not in before}
        assert all(path == target or target in path.parents for path in written)
        assert after == before | written
        if written:
            shutil.rmtree(target)

    check()
