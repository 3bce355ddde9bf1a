"""Downloads each dataset from a real HTTP server on loopback."""

from dataclasses import replace

import numpy as np
import pytest

from data import cifar, dogs, mnist, omniglot
from data.download import cache_folder
from errors import RequestError
from settings import DataSettings
from tests.support.datasets import (
    check_equal,
    photograph,
    write_cifar10,
    write_cifar100,
    write_fashion,
    write_idx,
    write_mnist,
    write_omniglot,
)
from tests.support.serving import archive, everything_under, remote


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("data.download.PAUSES", (0, 0))


def served(host, source, folder):
    """Serves the gzipped IDX files of a folder, and returns the source with their URL and md5."""
    host.files |= {path.name: path.read_bytes() for path in folder.iterdir()}
    contents = {name: remote("", host.files[f"{name}.gz"])[1:] for name in mnist.FILES}
    return replace(source, url=host.url(""), contents=contents)


@pytest.mark.parametrize(
    ("source", "write"), [(mnist.MNIST, write_mnist), (mnist.FASHION_MNIST, write_fashion)]
)
def test_idx_files_are_downloaded_once(host, tmp_path, source, write):
    source = served(host, source, write(tmp_path / "served", suffix=".gz"))
    # One is there already, and another's download breaks off in the first run.
    folder, there, broken = cache_folder() / source.facts.folder, *mnist.FILES[1:3]
    write_idx(folder / there, np.arange(40) % 10)
    host.faults[f"{broken}.gz"] = ["breaks off"] * 3
    with pytest.raises(RequestError, match=f"{source.facts.title} not found"):
        mnist.find(source, None, quiet=True)
    assert not (folder / f"{broken}.gz").exists()
    expected = mnist.find(source, write(tmp_path / folder.name).parent).read()
    for _ in range(2):
        check_equal(mnist.find(source, None, quiet=True).read(), expected)
    first, _, third, fourth = (f"{name}.gz" for name in mnist.FILES)
    assert host.requested == [first, *[third] * 4, fourth]
    assert everything_under(folder) == sorted([first, there, third, fourth])


@pytest.mark.parametrize(
    ("source", "write"), [(cifar.CIFAR_10, write_cifar10), (cifar.CIFAR_100, write_cifar100)]
)
def test_cifar_is_downloaded_once_and_unpacked(host, tmp_path, source, write):
    folder = write(tmp_path / source.facts.folder)
    members = {f"{folder.name}/{path.name}": path.read_bytes() for path in folder.iterdir()}
    contents = host.files["cifar.tar.gz"] = archive(members)
    source = replace(source, archive=remote(host.url("cifar.tar.gz"), contents))
    for _ in range(2):
        dataset = cifar.find(source, None, quiet=True).read()
        check_equal(dataset, cifar.find(source, tmp_path).read())
        assert dataset.origin == f"{source.facts.title} from {cache_folder() / folder.name}"
    assert host.requested == ["cifar.tar.gz"]
    (cache_folder() / folder.name / source.test[0]).unlink()
    lost = rf"{source.test[0]}; .*, or remove \S*{folder.name} to download"
    with pytest.raises(RequestError, match=lost):
        cifar.find(source, None, quiet=True)
    assert host.requested == ["cifar.tar.gz"]


def test_omniglot_is_downloaded_once(host, tmp_path, monkeypatch):
    first, second = omniglot.CONTENTS
    folder = write_omniglot(tmp_path / "omniglot")
    host.files |= {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(omniglot, "URL", host.url(""))
    contents = {name: remote("", host.files[name])[1:] for name in omniglot.CONTENTS}
    monkeypatch.setattr(omniglot, "CONTENTS", contents)
    host.faults[second] = ["breaks off"] * 3
    with pytest.raises(RequestError, match=rf"Omniglot not found: .*/{second}, and downloading"):
        omniglot.find_alphabets(None, quiet=True)
    assert everything_under(cache_folder()) == ["omniglot", f"omniglot/{first}"]
    for _ in range(2):
        assert omniglot.find_alphabets(None, quiet=True) == omniglot.find_alphabets(tmp_path)
        dataset = omniglot.find(None, 28, quiet=True).read()
        check_equal(dataset, omniglot.find(tmp_path, 28, quiet=True).read())
    assert host.requested == [first, *[second] * 4]


def test_imagewoof_is_downloaded_once_and_unpacked(host, tmp_path, monkeypatch):
    contents = photograph(tmp_path / "dog.jpg", (9, 99, 200)).read_bytes()
    names = [
        f"imagewoof2-160/{split}/{breed}/{number}.JPEG"
        for split in ("train", "val")
        for breed in ("n02115641", "n02088364")
        for number in range(3)
    ]
    host.files["woof.tgz"] = archive(dict.fromkeys(names, contents))
    monkeypatch.setattr(dogs, "ARCHIVE", remote(host.url("woof.tgz"), host.files["woof.tgz"]))
    for _ in range(2):
        dataset = dogs.find(DataSettings(), 28, quiet=True).read()
        assert dataset.class_names == ("beagle", "dingo")
        assert dataset.test.images.shape == (6, 28, 28, 3)
    assert host.requested == ["woof.tgz"]
    assert [path.name for path in cache_folder().iterdir()] == ["dogs"]  # with the cache in it
