"""The datasets, each downloaded from a real HTTP server on loopback."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from data import cifar, dogs, mnist, omniglot
from data.download import cache_folder
from errors import RequestError
from tests.support.datasets import (
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
    """The source, as if the gzipped IDX files in the folder, put on the host, were its own."""
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
    assert len(host.asked) == 4
    assert mnist.find(source, None, quiet=True).read().test.images.shape == (25, 28, 28, 1)
    assert len(host.asked) == 4
    assert everything_under(cache_folder()) == [
        source.folder,
        *sorted(f"{source.folder}/{name}.gz" for name in mnist.FILES),
    ]


def test_only_what_is_missing_is_downloaded(host, tmp_path):
    source = served(host, mnist.MNIST, write_mnist(tmp_path / "served", suffix=".gz"))
    write_idx(cache_folder() / "mnist" / mnist.TRAIN_LABELS, np.zeros(40))
    mnist.find(source, None, quiet=True).read()
    assert f"{mnist.TRAIN_LABELS}.gz" not in host.asked
    assert len(host.asked) == 3


def test_a_download_that_broke_off_is_taken_up_again(host, tmp_path):
    source = served(host, mnist.MNIST, write_mnist(tmp_path / "served", suffix=".gz"))
    host.broken.add(f"{mnist.TEST_IMAGES}.gz")
    with pytest.raises(RequestError, match=r"MNIST not found: .*--data-dir.*network.*--fake-data"):
        mnist.find(source, None, quiet=True).read()
    assert f"mnist/{mnist.TEST_IMAGES}.gz" not in everything_under(cache_folder())
    host.broken.clear()
    assert len(mnist.find(source, None, quiet=True).read().test.labels) == 25


def test_fashion_that_cannot_be_downloaded(host):
    source = replace(mnist.FASHION_MNIST, url=host.url(""))
    with pytest.raises(RequestError) as error:
        mnist.find(source, None, quiet=True).read()
    line = str(error.value)
    assert line.startswith("Fashion-MNIST not found: looked for train-images-idx3-ubyte.gz in ")
    assert "404" in line and line.endswith("with --data-dir, or connect to a network")
    assert "--fake-data" not in line and "\n" not in line


def gzipped_tar_of(folder):
    """An archive of that folder and its files."""
    return archive({f"{folder.name}/{path.name}": path.read_bytes() for path in folder.iterdir()})


@pytest.mark.parametrize(
    ("source", "write", "train", "test"),
    [(cifar.CIFAR_10, write_cifar10, 50, 10), (cifar.CIFAR_100, write_cifar100, 100, 100)],
)
def test_cifar_is_downloaded_once_and_unpacked(host, tmp_path, source, write, train, test):
    contents = gzipped_tar_of(write(tmp_path / source.folder))
    host.files["cifar.tar.gz"] = contents
    source = replace(source, url=host.url("cifar.tar.gz"), md5=md5(contents))
    dataset = cifar.find(source, None, quiet=True).read()
    assert dataset.train.images.shape == (train, 32, 32, 3)
    assert dataset.test.images.shape == (test, 32, 32, 3)
    assert dataset.origin == f"{source.name} from {cache_folder() / source.folder}"
    cifar.find(source, None, quiet=True).read()
    assert host.asked == ["cifar.tar.gz"]


def test_cifar_that_cannot_be_downloaded(host, tmp_path):
    contents = gzipped_tar_of(write_cifar10(tmp_path / "cifar-10-batches-bin"))
    host.files["cifar.tar.gz"] = contents
    for path, md5sum, why in (("nothing", "0" * 32, "404"), ("cifar.tar.gz", "0" * 32, "hash")):
        source = replace(cifar.CIFAR_10, url=host.url(path), md5=md5sum)
        with pytest.raises(RequestError) as error:
            cifar.find(source, None, quiet=True).read()
        line = str(error.value)
        assert line.startswith(f"CIFAR-10 not found: looked for {cache_folder() / source.folder}")
        assert why in line and line.endswith("with --data-dir, or connect to a network")
        assert "\n" not in line
        assert everything_under(cache_folder()) == []


def test_cifar_in_the_cache_with_a_file_lost(host, tmp_path):
    folder = write_cifar100(cache_folder() / "cifar-100-binary")
    (folder / "test.bin").unlink()
    with pytest.raises(RequestError, match=r"for test.bin; .*, or remove .* to download it"):
        cifar.find(replace(cifar.CIFAR_100, url=host.url("nothing")), None, quiet=True).read()
    assert host.asked == []


def serve_omniglot(host, folder, monkeypatch):
    """Puts a tiny Omniglot on the host, with the md5 that its files have."""
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
    assert host.asked == ["images_background.zip", "images_evaluation.zip"]
    assert omniglot.find(None, 28, quiet=True).read().train.images.shape == (80, 28, 28, 1)
    assert len(host.asked) == 2
    (cache_folder() / "omniglot" / "images_evaluation.zip").unlink()
    omniglot.find_alphabets(None, quiet=True)
    assert host.asked[2:] == ["images_evaluation.zip"]


def test_omniglot_that_cannot_be_downloaded(host, tmp_path, monkeypatch):
    serve_omniglot(host, tmp_path / "served", monkeypatch)
    host.broken.add("images_evaluation.zip")
    with pytest.raises(RequestError) as error:
        omniglot.find_alphabets(None, quiet=True)
    line = str(error.value)
    assert line.startswith(
        f"Omniglot not found: looked for images_evaluation.zip in {cache_folder() / 'omniglot'}"
    )
    assert line.endswith("with --data-dir, or connect to a network") and "\n" not in line
    assert everything_under(cache_folder()) == ["omniglot", "omniglot/images_background.zip"]


def test_imagewoof_is_downloaded_and_unpacked(host, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (9, 99, 200)).save(buffer, "JPEG")
    host.files["woof.tgz"] = archive(
        {
            f"imagewoof2-160/{split}/{breed}/{number}.JPEG": buffer.getvalue()
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
    assert host.asked == ["woof.tgz"]


def test_dogs_that_cannot_be_downloaded(host, monkeypatch):
    monkeypatch.setattr(dogs, "URL", host.url("nothing.tgz"))
    with pytest.raises(RequestError, match=r"not found: looked for .*404.*--data-dog-dir.*--fake"):
        dogs.find(None, 28, quiet=True).read()
    assert everything_under(cache_folder()) == []
