"""The cache of decoded dogs: used if it is up to date and sound, otherwise rebuilt."""

import io
import os
import pickle
import re
import shutil
from zipfile import ZipFile

import numpy as np
import pytest

import evaluate
from data import cache, dogs
from errors import RequestError
from settings import DataSettings
from tests.support.command import run_here
from tests.support.datasets import BREEDS, check_equal, photograph, write_kaggle
from tests.support.fuzzing import snapshot
from tests.support.reading import change_settings, only_run


@pytest.fixture
def first(tmp_path):
    """The dogs in `tmp_path`, decoded and cached in dogs-28px.npz."""
    return read(write_kaggle(tmp_path))


def read(folder, size=28, breeds=None, cache_file=None, cache_only=False, from_config=False):
    """Reads the dogs."""
    settings = DataSettings(
        data_dog_dir=folder, dog_breeds=breeds, pickle_file=cache_file, use_pickle=cache_only
    )
    return dogs.find(settings, size, True, from_config).read()


def test_decoded_images_are_cached_beside_the_photographs(first, tmp_path, monkeypatch):
    assert (tmp_path / "dogs-28px.npz").is_file()
    monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
    again = read(tmp_path)
    check_equal(again, first)
    assert again.origin == first.origin


def test_a_changed_photograph_is_decoded_again(first, tmp_path):
    for path in (tmp_path / "train").glob("beagle*.jpg"):
        photograph(path, (255, 255, 255), (100, 100))
    assert (first.test.images[0] != 255).any()
    assert (read(tmp_path).test.images[0] == 255).all()


def test_other_breeds_have_another_cache(first, tmp_path):
    for cache_only in (False, True):
        dataset = read(tmp_path, breeds=["dingo", "collie"], cache_only=cache_only)
        assert dataset.class_names == ("dingo", "collie")
    assert read(tmp_path, cache_only=True).class_names == BREEDS


def rewrite(cache, save=np.savez, **arrays):
    """Replaces some of the cache's arrays."""
    save(cache, **{**np.load(cache), **arrays})


@pytest.mark.parametrize(
    "change",
    [
        lambda old: {"train_labels": old["train_labels"] + 5},
        lambda old: {"train_labels": old["train_labels"] - 1},
        lambda old: {"train_labels": old["train_labels"].astype(np.int64)},
        lambda old: {"train_labels": old["train_labels"][1:]},
        lambda old: {"test_labels": np.zeros(3, np.int32)},
        lambda old: {"test_images": old["test_images"][:0], "test_labels": old["test_labels"][:0]},
        lambda old: {"test_images": old["test_images"].astype(np.int8)},
        lambda old: {"test_images": old["test_images"][..., :1]},
        lambda old: {"test_images": old["test_images"][:, :27]},
        lambda old: {"class_names": old["class_names"][:2]},
        lambda old: {"class_names": np.append(old["class_names"], "pug")},
        lambda old: {"class_names": np.array(["beagle", "beagle", "dingo"])},
        lambda old: {"class_names": np.array(["beagle", "", "dingo"])},
        lambda old: {"class_names": np.array(["beagle", "co\x1b[2Jllie", "dingo"])},
        lambda old: {"class_names": np.arange(3)},
        lambda old: {"class_names": np.array([])},
        lambda old: {"version": np.array(0)},
        lambda old: {"fingerprint": np.array("of other photographs")},
        lambda old: {"save": np.savez_compressed},
    ],
)
def test_a_cache_with_wrong_arrays_is_rebuilt(first, tmp_path, change):
    cache = tmp_path / "dogs-28px.npz"
    contents = cache.read_bytes()
    rewrite(cache, **change(dict(np.load(cache))))
    assert cache.read_bytes() != contents
    check_equal(read(tmp_path), first)
    assert cache.read_bytes() == contents


def test_a_header_that_claims_another_shape(first, tmp_path):
    path = tmp_path / "dogs-28px.npz"
    contents = path.read_bytes()
    for claimed in (b"'shape': (17,", b"'shape': (99,"):
        path.write_bytes(contents.replace(b"'shape': (27,", claimed))
        with pytest.raises(ValueError, match="damaged"):
            cache.load(path, None, 28)


def test_another_size_is_another_cache(first, tmp_path, monkeypatch):
    dataset = read(tmp_path, 40)
    assert dataset.train.images.shape == (27, 40, 40, 3)
    red = dataset.test.images[:, 20, 20, 0].astype(int)
    assert abs(red - [0, 80, 160]).max() < 4
    names = sorted(path.name for path in tmp_path.glob("*.npz"))
    assert names == ["dogs-28px.npz", "dogs-40px.npz"]
    monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
    assert read(tmp_path).test.images.shape == (3, 28, 28, 3)
    assert read(tmp_path, 40, cache_only=True).test.images.shape == (3, 40, 40, 3)


# Damages of a cache of 40×40 pixels, and the reasons why it cannot be used.
DAMAGES = {
    r"its images are \(28, 28, 3\), expected \(40, 40, 3\)": lambda cache, folder: read(
        folder, cache_file=cache
    ),
    r"damaged \(.+\)": lambda cache, folder: cache.write_bytes(cache.read_bytes()[:-100]),
    r"damaged \((.+)\)": lambda cache, folder: cache.write_bytes(b""),
    "written by another version": lambda cache, folder: rewrite(cache, version=np.array(1)),
    "it holds the breeds beagle, collie,.*": lambda cache, folder: read(
        folder, 40, BREEDS[:2], cache
    ),
}


@pytest.mark.parametrize("reason", DAMAGES)
def test_a_requested_cache_that_cannot_be_used_is_rebuilt(tmp_path, capsys, reason):
    cache, folder = tmp_path / "my.npz", write_kaggle(tmp_path / "dogs")
    expected = read(folder, 40, cache_file=cache)
    DAMAGES[reason](cache, folder)
    check_equal(read(folder, 40, list(BREEDS), cache, cache_only=True), expected)
    line = capsys.readouterr().err
    note = f"note: {cache} cannot be used: {reason}; the photographs were used instead\n"
    assert re.fullmatch(note, line), line
    check_equal(read(folder, 40, None, cache, cache_only=True), expected)
    assert capsys.readouterr().err == ""


def test_photographs_marked_read_only_are_cached_elsewhere(tmp_path):
    folder = write_kaggle(tmp_path / "dogs")
    folder.chmod(0o555)
    read(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["labels.csv", "train"]
    (cache,) = (tmp_path / "cache" / "multiple-tasks").glob("dogs-28px-of-*.npz")
    assert cache.is_file()
    folder.chmod(0o755)


@pytest.mark.parametrize("named", [None, "my.npz"])
def test_a_user_without_a_home_folder(tmp_path, monkeypatch, named):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", no_home)
    assert (
        len(read(write_kaggle(tmp_path), cache_file=named and tmp_path / named).train.labels) == 27
    )


def test_a_cache_replaces_the_photographs_on_request(tmp_path):
    cache, folder = tmp_path / "elsewhere" / "my.npz", write_kaggle(tmp_path / "dogs")
    first = read(folder, 28, None, cache, cache_only=True)  # written
    for path in (folder / "train").iterdir():
        path.unlink()
    check_equal(read(folder, 28, None, cache, cache_only=True), first)
    with pytest.raises(RequestError, match=r"its image .* is missing"):
        read(folder, 28, None, cache)
    with pytest.raises(RequestError, match="holds the breeds beagle, collie, dingo"):
        read(folder, 28, ["dingo", "beagle"], cache, cache_only=True)
    cache.write_bytes(cache.read_bytes()[:-100])
    cannot = rf"{cache} cannot be used: damaged \(.*; and it cannot be rebuilt: .*line 2: its image"
    with pytest.raises(RequestError, match=cannot):
        read(folder, 28, None, cache, cache_only=True)


def zipped(*names):
    """Returns a zip file of members with these names."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"something")
    return buffer.getvalue()


def npz(**arrays):
    """Returns an .npz file of these arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


# Files that this program did not write, and what makes something else of that name.
OTHERS = {
    "my.docx": zipped("[Content_Types].xml", "word/document.xml"),
    "model.pt": zipped("archive/data.pkl", "archive/version"),
    "other.npz": npz(images=np.zeros(3), labels=np.zeros(3)),
    "versioned.npz": npz(version=np.array(1), fingerprint=np.array("x"), images=np.zeros(3)),
    "dogs.pickle": pickle.dumps([1, 2, 3]),
    "text.txt": b"a page of a thesis",
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to(path.with_name("elsewhere")),
}


@pytest.mark.parametrize("cache_only", [False, True])
@pytest.mark.parametrize("other", OTHERS)
def test_only_caches_are_replaced(tmp_path, capsys, monkeypatch, other, cache_only):
    folder, made = write_kaggle(tmp_path / "dogs"), OTHERS[other]
    for path in (folder / "dogs-28px.npz", tmp_path / other):
        path.write_bytes(made) if isinstance(made, bytes) else made(path)
        before = os.lstat(path)
        named = None if path.parent == folder else path
        if named:
            monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
            with pytest.raises(RequestError, match=f"--pickle-file: {path} cannot be used .*name"):
                read(folder, cache_file=named, cache_only=cache_only)
        else:
            assert len(read(folder, cache_only=cache_only).train.labels) == 27
            assert f"the decoded dogs are not cached: {path} (" in capsys.readouterr().err
        now = os.lstat(path)
        assert os.path.samestat(now, before) and now.st_mtime_ns == before.st_mtime_ns
        assert not isinstance(made, bytes) or path.read_bytes() == made
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["dogs", other])


# Files of this program that are outdated or damaged.
OURS = {
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:900]),
    "first version": lambda path: rewrite(path, version=np.array(1)),
}


@pytest.mark.parametrize("damage", OURS)
def test_a_cache_of_this_program_is_replaced(first, tmp_path, damage):
    for named in (None, tmp_path / "named.npz"):
        path = named or tmp_path / "dogs-28px.npz"
        read(tmp_path, cache_file=named)
        sound = path.read_bytes()
        OURS[damage](path)
        check_equal(read(tmp_path, cache_file=named), first)
        assert path.read_bytes() == sound


@pytest.mark.parametrize("cache_only", [False, True])
@pytest.mark.parametrize("named", [None, "missing.npz", "other.npz", "pipe"])
def test_settings_of_a_config_write_only_to_the_cache_folder(
    tmp_path, monkeypatch, named, cache_only
):
    folder, path = write_kaggle(tmp_path / "dogs"), named and tmp_path / named
    if named == "pipe":
        os.mkfifo(path)
    elif named == "other.npz":
        path.write_bytes(OTHERS[named])
    before = snapshot(tmp_path)
    first = read(folder, cache_file=path, cache_only=cache_only, from_config=True)
    written = {path for path in snapshot(tmp_path) if path not in before}
    caches = tmp_path / "cache"
    assert {each for each in written if each.is_file()} == {*caches.rglob("dogs-28px-of-*.npz")}
    assert all(caches in (each, *each.parents) for each in written)
    assert {each: snapshot(tmp_path)[each] for each in before} == before
    monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
    again = read(folder, cache_file=path, cache_only=cache_only, from_config=True)
    check_equal(again, first)


def test_settings_of_a_config_read_the_file_that_they_name(first, tmp_path, monkeypatch):
    read(tmp_path, cache_file=tmp_path / "my.npz")
    monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
    for named in (None, tmp_path / "my.npz"):
        check_equal(read(tmp_path, cache_file=named, from_config=True), first)


def test_no_pickle_is_read(tmp_path, capsys):
    marker = tmp_path / "unpickled"

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    file, folder = tmp_path / "trap.npz", write_kaggle(tmp_path / "dogs")
    arrays = dict.fromkeys(cache.HEADER, np.array([Trap()], dtype=object))
    np.savez(file, **arrays)
    read(folder, 28, None, file, cache_only=True)
    assert "trap.npz cannot be used: damaged (" in capsys.readouterr().err
    assert not marker.exists()


def test_what_a_killed_process_left_is_removed(tmp_path):
    folder = write_kaggle(tmp_path)
    left = folder / ".new-1-1"
    left.mkdir()
    (left / "dogs-28px.npz").write_bytes(b"half of it")
    os.utime(left, (0, 0))
    read(folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["dogs-28px.npz", "labels.csv", "train"]


def test_a_run_of_somebody_else_writes_only_to_its_folder_and_the_cache(tmp_path):
    """Its config.json names files outside; the folder of the data has a name that is not UTF-8."""
    data = tmp_path / os.fsdecode(b"d\xff\x1b[2Jta")
    write_kaggle(data / "dogs")
    flags = ("--tasks", "dog", "--filters", 2, "--batch", 5, "--max-steps", 1, "--quiet")
    made = run_here("--data-dir", data, "--log-dir", tmp_path / "log", *flags)
    assert (made.returncode, made.stderr) == (0, "")
    run = only_run(tmp_path / "log")
    (data / "dogs" / "dogs-28px.npz").unlink()
    for steps, change in (
        (2, {}),  # the cache beside the photographs
        (3, {"pickle_file": str(tmp_path / "elsewhere" / "my.npz")}),
    ):
        change_settings(**change)(run)
        before = snapshot(tmp_path)
        evaluated = run_here(run, main=evaluate.main)
        assert (evaluated.returncode, evaluated.stderr) == (0, "")
        resumed = run_here("--resume", run, "--max-steps", steps)
        assert (resumed.returncode, resumed.stderr) == (0, "")
        after = snapshot(tmp_path)
        changed = {path for path in before | after if before.get(path, 0) != after.get(path, 0)}
        allowed = (run, tmp_path / "cache")
        assert all(any(place in (path, *path.parents) for place in allowed) for path in changed)
        shutil.rmtree(tmp_path / "cache")
