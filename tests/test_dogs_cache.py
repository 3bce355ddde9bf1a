"""The decoded dogs on disk: taken where they are up to date and sound, made anew where not."""

import os
import pickle

import numpy as np
import pytest
from conftest import BREEDS, photograph, write_kaggle

from data import dogs
from errors import RequestError


def test_decoded_images_are_cached_beside_the_photographs(tmp_path, monkeypatch):
    first = dogs.load(write_kaggle(tmp_path), 28, quiet=True)
    assert (tmp_path / "dogs-28px.npz").is_file()
    monkeypatch.setattr("data.dogs.decode_all", None)  # would fail if it were called
    again = dogs.load(tmp_path, 28, quiet=True)
    np.testing.assert_array_equal(again.train.images, first.train.images)
    np.testing.assert_array_equal(again.test.labels, first.test.labels)
    assert again.class_names == first.class_names
    assert again.origin == first.origin


def test_a_changed_photograph_is_noticed(tmp_path):
    first = dogs.load(write_kaggle(tmp_path), 28, quiet=True)
    for path in (tmp_path / "train").glob("beagle*.jpg"):
        photograph(path, (255, 255, 255), (100, 100))
    again = dogs.load(tmp_path, 28, quiet=True)
    assert not (again.test.images[0] == first.test.images[0]).all()
    assert (again.test.images[0] == 255).all()


def test_other_breeds_are_not_taken_from_the_cache(tmp_path):
    dogs.load(write_kaggle(tmp_path), 28, quiet=True)
    for cache_only in (False, True):
        dataset = dogs.load(tmp_path, 28, ["dingo", "collie"], cache_only=cache_only, quiet=True)
        assert dataset.class_names == ("dingo", "collie")
    assert dogs.load(tmp_path, 28, cache_only=True).class_names == BREEDS


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"PK\x03\x04", lambda b: b""])
def test_a_damaged_cache_is_made_anew(tmp_path, damage):
    first = dogs.load(write_kaggle(tmp_path), 28, quiet=True)
    cache = tmp_path / "dogs-28px.npz"
    cache.write_bytes(damage(cache.read_bytes()))
    again = dogs.load(tmp_path, 28, quiet=True)
    np.testing.assert_array_equal(again.train.images, first.train.images)
    np.load(cache)  # whole again


def test_a_cache_with_wrong_arrays_is_made_anew(tmp_path):
    first = dogs.load(write_kaggle(tmp_path), 28, quiet=True)
    cache = tmp_path / "dogs-28px.npz"
    arrays = dict(np.load(cache))
    np.savez(cache, **{**arrays, "train_labels": arrays["train_labels"] + 5})
    np.testing.assert_array_equal(dogs.load(tmp_path, 28).train.labels, first.train.labels)


def test_another_size_is_another_cache(tmp_path, monkeypatch):
    folder = write_kaggle(tmp_path)
    assert dogs.load(folder, 28, quiet=True).train.images.shape == (27, 28, 28, 3)
    dataset = dogs.load(folder, 40, quiet=True)
    assert dataset.train.images.shape == (27, 40, 40, 3)
    red = dataset.test.images[:, 20, 20, 0].astype(int)
    assert abs(red - [0, 80, 160]).max() < 4
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == [
        "dogs-28px.npz",
        "dogs-40px.npz",
    ]
    monkeypatch.setattr("data.dogs.decode_all", None)  # would fail if it were called
    assert dogs.load(folder, 28, quiet=True).test.images.shape == (3, 28, 28, 3)
    assert dogs.load(folder, 40, cache_only=True).test.images.shape == (3, 40, 40, 3)


def test_a_cache_of_another_size_is_not_taken(tmp_path):
    cache = tmp_path / "my.npz"
    folder = write_kaggle(tmp_path / "dogs")
    dogs.load(folder, 28, cache_file=cache, quiet=True)
    with pytest.raises(RequestError, match=r"28×28 pixels, expected 40×40; leave out --use-pickle"):
        dogs.load(folder, 40, cache_file=cache, cache_only=True)
    dataset = dogs.load(folder, 40, cache_file=cache, quiet=True)  # made anew
    assert dataset.train.images.shape == (27, 40, 40, 3)
    assert dogs.load(folder, 40, cache_file=cache, cache_only=True).test.images.shape[1] == 40


def test_photographs_marked_read_only_are_cached_elsewhere(tmp_path):
    folder = write_kaggle(tmp_path / "dogs")
    folder.chmod(0o555)
    dogs.load(folder, 28, quiet=True)
    assert sorted(path.name for path in folder.iterdir()) == ["labels.csv", "train"]
    (cache,) = (tmp_path / "cache" / "multiple-tasks").glob("dogs-28px-of-*.npz")
    assert cache.is_file()
    folder.chmod(0o755)


def test_a_cache_stands_in_for_the_photographs_if_asked(tmp_path):
    cache = tmp_path / "elsewhere" / "my.npz"
    folder = write_kaggle(tmp_path / "dogs")
    first = dogs.load(folder, 28, cache_file=cache, cache_only=True, quiet=True)  # written
    for path in (folder / "train").iterdir():
        path.unlink()
    again = dogs.load(folder, 28, cache_file=cache, cache_only=True)
    np.testing.assert_array_equal(again.train.images, first.train.images)
    with pytest.raises(RequestError, match="image that is missing"):
        dogs.load(folder, 28, cache_file=cache)
    with pytest.raises(RequestError, match="holds the breeds beagle, collie, dingo"):
        dogs.load(folder, 28, ["dingo", "beagle"], cache_file=cache, cache_only=True)


def test_no_pickle_is_read_or_replaced(tmp_path):
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
            dogs.load(folder, 28, cache_file=file, cache_only=cache_only)
    assert file.read_bytes() == contents
    np.savez(tmp_path / "trap.npz", version=np.array([Trap()], dtype=object))
    with pytest.raises(RequestError, match="cannot be used"):
        dogs.load(folder, 28, cache_file=tmp_path / "trap.npz", cache_only=True)
    assert not marker.exists()
