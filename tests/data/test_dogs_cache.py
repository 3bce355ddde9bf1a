"""The cache of decoded dogs: used if it is up to date and sound, otherwise rebuilt."""

import os
import pickle
import re
from functools import partial

import numpy as np
import pytest

from data import cache, dogs
from errors import RequestError
from tests.support.datasets import BREEDS, check_equal, photograph, write_kaggle


@pytest.fixture
def first(tmp_path):
    """The dogs in `tmp_path`, decoded and cached in dogs-28px.npz."""
    return dogs.find(write_kaggle(tmp_path), 28, quiet=True).read()


def test_decoded_images_are_cached_beside_the_photographs(first, tmp_path, monkeypatch):
    assert (tmp_path / "dogs-28px.npz").is_file()
    monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
    again = dogs.find(tmp_path, 28, quiet=True).read()
    check_equal(again, first)
    assert again.origin == first.origin


def test_a_changed_photograph_is_decoded_again(first, tmp_path):
    for path in (tmp_path / "train").glob("beagle*.jpg"):
        photograph(path, (255, 255, 255), (100, 100))
    again = dogs.find(tmp_path, 28, quiet=True).read()
    assert not (again.test.images[0] == first.test.images[0]).all()
    assert (again.test.images[0] == 255).all()


def test_other_breeds_have_another_cache(first, tmp_path):
    for cache_only in (False, True):
        dataset = dogs.find(
            tmp_path, 28, ["dingo", "collie"], cache_only=cache_only, quiet=True
        ).read()
        assert dataset.class_names == ("dingo", "collie")
    assert dogs.find(tmp_path, 28, cache_only=True).read().class_names == BREEDS


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"PK\x03\x04", lambda b: b""])
def test_a_damaged_cache_is_rebuilt(first, tmp_path, damage):
    cache = tmp_path / "dogs-28px.npz"
    cache.write_bytes(damage(cache.read_bytes()))
    check_equal(dogs.find(tmp_path, 28, quiet=True).read(), first)
    np.load(cache)  # complete again


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
    check_equal(dogs.find(tmp_path, 28, quiet=True).read(), first)
    assert cache.read_bytes() == contents


def test_a_header_that_claims_another_shape(first, tmp_path):
    path = tmp_path / "dogs-28px.npz"
    contents = path.read_bytes()
    for claimed in (b"'shape': (17,", b"'shape': (99,"):
        path.write_bytes(contents.replace(b"'shape': (27,", claimed))
        with pytest.raises(ValueError, match="damaged"):
            cache.load(path, None, 28)


def test_another_size_is_another_cache(tmp_path, monkeypatch):
    folder = write_kaggle(tmp_path)
    assert dogs.find(folder, 28, quiet=True).read().train.images.shape == (27, 28, 28, 3)
    dataset = dogs.find(folder, 40, quiet=True).read()
    assert dataset.train.images.shape == (27, 40, 40, 3)
    red = dataset.test.images[:, 20, 20, 0].astype(int)
    assert abs(red - [0, 80, 160]).max() < 4
    names = sorted(path.name for path in tmp_path.glob("*.npz"))
    assert names == ["dogs-28px.npz", "dogs-40px.npz"]
    monkeypatch.setattr("data.dogs.decode", None)  # would fail if it were called
    assert dogs.find(folder, 28, quiet=True).read().test.images.shape == (3, 28, 28, 3)
    assert dogs.find(folder, 40, cache_only=True).read().test.images.shape == (3, 40, 40, 3)


def test_a_cache_of_another_size_is_rebuilt(tmp_path):
    options = {"cache_file": tmp_path / "my.npz", "quiet": True}
    folder = write_kaggle(tmp_path / "dogs")
    dogs.find(folder, 28, **options).read()
    assert dogs.find(folder, 40, **options).read().train.images.shape == (27, 40, 40, 3)
    assert dogs.find(folder, 40, cache_only=True, **options).read().test.images.shape[1] == 40


def test_a_requested_cache_that_cannot_be_used_is_rebuilt(tmp_path, capsys):
    cache, folder = tmp_path / "my.npz", write_kaggle(tmp_path / "dogs")
    expected = dogs.find(folder, 40, quiet=True).read()
    load = partial(dogs.find, folder, 40, cache_file=cache, quiet=True)
    for damage, reason in (
        (
            lambda: dogs.find(folder, 28, cache_file=cache).read(),
            "its images are 28×28 pixels, .* 40×40",
        ),
        (lambda: cache.write_bytes(cache.read_bytes()[:-100]), r"damaged \(.+\)"),
        (lambda: cache.write_bytes(b""), r"damaged \(.+\)"),
        (lambda: rewrite(cache, version=np.array(2)), "written by another version"),
        (lambda: load(breeds=BREEDS[:2]).read(), "it holds the breeds beagle, collie,.*"),
    ):
        damage()
        capsys.readouterr()
        check_equal(load(breeds=list(BREEDS), cache_only=True).read(), expected)
        line = capsys.readouterr().err
        note = f"note: {cache} cannot be used: {reason}; it was rebuilt from the photographs\n"
        assert re.fullmatch(note, line), line
        load(cache_only=True).read()
        assert capsys.readouterr().err == ""


def test_a_cache_that_cannot_be_used_and_no_photographs(tmp_path):
    cache, folder = tmp_path / "my.npz", write_kaggle(tmp_path / "dogs")
    dogs.find(folder, 28, cache_file=cache, quiet=True).read()
    cache.write_bytes(cache.read_bytes()[:-100])
    (folder / "train" / "beagle0.jpg").unlink()
    with pytest.raises(RequestError) as error:
        dogs.find(folder, 28, cache_file=cache, cache_only=True).read()
    line = str(error.value)
    assert line.startswith(f"{cache} cannot be used: damaged (")
    assert f"; and it cannot be rebuilt: {folder / 'labels.csv'}, line 2: its image" in line


def test_photographs_marked_read_only_are_cached_elsewhere(tmp_path):
    folder = write_kaggle(tmp_path / "dogs")
    folder.chmod(0o555)
    dogs.find(folder, 28, quiet=True).read()
    assert sorted(path.name for path in folder.iterdir()) == ["labels.csv", "train"]
    (cache,) = (tmp_path / "cache" / "multiple-tasks").glob("dogs-28px-of-*.npz")
    assert cache.is_file()
    folder.chmod(0o755)


def test_a_cache_replaces_the_photographs_on_request(tmp_path):
    cache = tmp_path / "elsewhere" / "my.npz"
    folder = write_kaggle(tmp_path / "dogs")
    first = dogs.find(folder, 28, cache_file=cache, cache_only=True, quiet=True).read()  # written
    for path in (folder / "train").iterdir():
        path.unlink()
    again = dogs.find(folder, 28, cache_file=cache, cache_only=True).read()
    np.testing.assert_array_equal(again.train.images, first.train.images)
    with pytest.raises(RequestError, match=r"its image .* is missing"):
        dogs.find(folder, 28, cache_file=cache).read()
    with pytest.raises(RequestError, match="holds the breeds beagle, collie, dingo"):
        dogs.find(folder, 28, ["dingo", "beagle"], cache_file=cache, cache_only=True).read()


def test_no_pickle_is_read_or_replaced(tmp_path, capsys):
    marker = tmp_path / "unpickled"

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    file = tmp_path / "dogs.pickle"
    file.write_bytes(pickle.dumps(Trap()))
    contents = file.read_bytes()
    folder = write_kaggle(tmp_path / "dogs")
    for cache_only in (True, False):
        with pytest.raises(RequestError, match="pickle files are never read or replaced"):
            dogs.find(folder, 28, cache_file=file, cache_only=cache_only).read()
    assert file.read_bytes() == contents
    np.savez(tmp_path / "trap.npz", version=np.array([Trap()], dtype=object))
    dogs.find(folder, 28, cache_file=tmp_path / "trap.npz", cache_only=True).read()
    assert "trap.npz cannot be used: damaged (" in capsys.readouterr().err
    assert not marker.exists()
