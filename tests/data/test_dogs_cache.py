"""The cache of decoded dogs: used if it is up to date and sound, otherwise rebuilt."""

import os
import pickle
import re

import numpy as np
import pytest

from data import cache, dogs
from errors import RequestError
from tests.support.datasets import BREEDS, check_equal, photograph, write_kaggle


@pytest.fixture
def first(tmp_path):
    """The dogs in `tmp_path`, decoded and cached in dogs-28px.npz."""
    return read(write_kaggle(tmp_path))


def read(folder, size=28, breeds=None, cache_file=None, cache_only=False):
    """Reads the dogs."""
    return dogs.find(folder, size, breeds, cache_file, cache_only, quiet=True).read()


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
    "written by another version": lambda cache, folder: rewrite(cache, version=np.array(2)),
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
    note = f"note: {cache} cannot be used: {reason}; it was rebuilt from the photographs\n"
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


def test_no_pickle_is_read_or_replaced(tmp_path, capsys):
    marker = tmp_path / "unpickled"

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    file, folder = tmp_path / "dogs.pickle", write_kaggle(tmp_path / "dogs")
    contents = pickle.dumps(Trap())
    file.write_bytes(contents)
    for cache_only in (True, False):
        with pytest.raises(RequestError, match="pickle files are never read or replaced"):
            read(folder, 28, None, file, cache_only)
    assert file.read_bytes() == contents
    np.savez(tmp_path / "trap.npz", version=np.array([Trap()], dtype=object))
    read(folder, 28, None, tmp_path / "trap.npz", cache_only=True)
    assert "trap.npz cannot be used: damaged (" in capsys.readouterr().err
    assert not marker.exists()
