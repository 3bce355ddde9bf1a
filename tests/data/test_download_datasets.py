"""Downloads each dataset from a real HTTP server on loopback."""

from dataclasses import replace

import numpy as np
import pytest

from data import cifar, dogs, mnist, omniglot
from data.download import cache_folder
from errors import RequestError
from tests.support.datasets import (
    photograph,
    write_cifar10,
    write_cifar100,
    write_fashion,
    write_idx,
    write_mnist,
    write_omniglot,
)
from tests.support.serving import archive, everything_under, md5


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("data.download.PAUSES", (0, 0))


def served(host, source, folder):
    """Serves the gzipped IDX files of a folder, and returns the source with their URL and md5."""
    host.files |= {path.name: path.read_bytes() for path in folder.iterdir()}
    md5s = {name: md5(host.files[f"{name}.gz"]) for name in mnist.FILES}
    return replace(source, url=host.url(""), md5=md5s)


@pytest.mark.parametrize(
    ("source", "write", "darkest"),
    [(mnist.MNIST, write_mnist, 0), (mnist.FASHION_MNIST, write_fashion, 5)],
)
def test_idx_files_are_downloaded_once(host, tmp_path, source, write, darkest):
    source = served(host, source, write(tmp_path / "served", suffix=".gz"))
    dataset = mnist.find(source, None, quiet=True).read()
    np.testing.assert_array_equal(
        dataset.train.images[:, 9, 9, 0], darkest + np.arange(40) % 10 * 20
    )
    assert len(host.requested) == 4
    assert mnist.find(source, None, quiet=True).read().test.images.shape == (25, 28, 28, 1)
    assert len(host.requested) == 4
    files = [f"{source.facts.folder}/{name}.gz" for name in sorted(mnist.FILES)]
    assert everything_under(cache_folder()) == [source.facts.folder, *files]


def test_only_what_is_missing_is_downloaded(host, tmp_path):
    source = served(host, mnist.MNIST, write_mnist(tmp_path / "served", suffix=".gz"))
    write_idx(cache_folder() / "mnist" / mnist.TRAIN_LABELS, np.zeros(40))
    mnist.find(source, None, quiet=True).read()
    assert f"{mnist.TRAIN_LABELS}.gz" not in host.requested
    assert len(host.requested) == 3


def test_a_download_that_broke_off_is_repeated_in_the_next_run(host, tmp_path):
    source = served(host, mnist.MNIST, write_mnist(tmp_path / "served", suffix=".gz"))
    host.broken.add(f"{mnist.TEST_IMAGES}.gz")
    with pytest.raises(RequestError, match="MNIST not found"):
        mnist.find(source, None, quiet=True).read()
    assert f"mnist/{mnist.TEST_IMAGES}.gz" not in everything_under(cache_folder())
    host.broken.clear()
    assert len(mnist.find(source, None, quiet=True).read().test.labels) == 25


@pytest.mark.parametrize(
    ("source", "write", "train", "test"),
    [(cifar.CIFAR_10, write_cifar10, 50, 10), (cifar.CIFAR_100, write_cifar100, 100, 100)],
)
def test_cifar_is_downloaded_once_and_unpacked(host, tmp_path, source, write, train, test):
    folder = write(tmp_path / source.facts.folder)
    members = {f"{folder.name}/{path.name}": path.read_bytes() for path in folder.iterdir()}
    contents = host.files["cifar.tar.gz"] = archive(members)
    source = replace(source, url=host.url("cifar.tar.gz"), md5=md5(contents))
    dataset = cifar.find(source, None, quiet=True).read()
    assert dataset.train.images.shape == (train, 32, 32, 3)
    assert dataset.test.images.shape == (test, 32, 32, 3)
    assert dataset.origin == f"{source.facts.title} from {cache_folder() / folder.name}"
    cifar.find(source, None, quiet=True).read()
    assert host.requested == ["cifar.tar.gz"]


def test_cifar_in_the_cache_with_a_file_lost(host, tmp_path):
    folder = write_cifar100(cache_folder() / "cifar-100-binary")
    (folder / "test.bin").unlink()
    with pytest.raises(
        RequestError, match=r"test.bin; .*, or remove \S*cifar-100-binary to download"
    ):
        cifar.find(replace(cifar.CIFAR_100, url=host.url("nothing")), None, quiet=True).read()
    assert host.requested == []


def serve_omniglot(host, folder, monkeypatch):
    """Serves a tiny Omniglot and its md5."""
    write_omniglot(folder)
    host.files |= {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(omniglot, "URL", host.url(""))
    monkeypatch.setattr(omniglot, "MD5", {name: md5(host.files[name]) for name in omniglot.MD5})


def test_omniglot_is_downloaded_once(host, tmp_path, monkeypatch):
    serve_omniglot(host, tmp_path / "served", monkeypatch)
    assert omniglot.find_alphabets(None, quiet=True) == {
        "Greek": ["character01", "character02", "character03"],
        "Latin": ["character01", "character02"],
    }
    assert host.requested == ["images_background.zip", "images_evaluation.zip"]
    assert omniglot.find(None, 28, quiet=True).read().train.images.shape == (80, 28, 28, 1)
    assert len(host.requested) == 2
    (cache_folder() / "omniglot" / "images_evaluation.zip").unlink()
    omniglot.find_alphabets(None, quiet=True)
    assert host.requested[2:] == ["images_evaluation.zip"]


def test_omniglot_of_which_one_file_cannot_be_downloaded(host, tmp_path, monkeypatch):
    serve_omniglot(host, tmp_path / "served", monkeypatch)
    host.broken.add("images_evaluation.zip")
    with pytest.raises(RequestError, match=r"Omniglot not found: .*/images_evaluation.zip, and d"):
        omniglot.find_alphabets(None, quiet=True)
    assert everything_under(cache_folder()) == ["omniglot", "omniglot/images_background.zip"]


def test_imagewoof_is_downloaded_and_unpacked(host, tmp_path, monkeypatch):
    contents = photograph(tmp_path / "dog.jpg", (9, 99, 200)).read_bytes()
    host.files["woof.tgz"] = archive(
        {
            f"imagewoof2-160/{split}/{breed}/{number}.JPEG": contents
            for split in ("train", "val")
            for breed in ("n02115641", "n02088364")
            for number in range(3)
        }
    )
    monkeypatch.setattr(dogs, "URL", host.url("woof.tgz"))
    monkeypatch.setattr(dogs, "MD5", md5(host.files["woof.tgz"]))
    dataset = dogs.find(None, 28, quiet=True).read()
    assert dataset.class_names == ("beagle", "dingo")
    assert dataset.test.images.shape == (6, 28, 28, 3)
    dogs.find(None, 28, quiet=True).read()
    assert host.requested == ["woof.tgz"]
