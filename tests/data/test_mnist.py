"""MNIST's and Fashion-MNIST's files, sound and damaged."""

import gzip
import re

import numpy as np
import pytest

from data import mnist
from data.class_names import DIGITS, FASHION
from errors import RequestError
from tests.support.datasets import write_fashion, write_idx, write_mnist


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("source", "folder", "write", "darkest", "names"),
    [
        (mnist.MNIST, ".", write_mnist, 0, DIGITS),
        (mnist.MNIST, "mnist", write_mnist, 0, DIGITS),
        (mnist.FASHION_MNIST, "fashion-mnist", write_fashion, 5, FASHION),
    ],
)
def test_loads_from_its_folder(tmp_path, source, folder, write, darkest, names, suffix):
    write(tmp_path / folder, train=40, test=25, suffix=suffix)
    dataset = mnist.find(source, tmp_path).read()
    assert dataset.train.images.shape == (40, 28, 28, 1)
    assert dataset.test.images.shape == (25, 28, 28, 1)
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int32
    assert list(dataset.test.labels[:12]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    np.testing.assert_array_equal(dataset.train.images[7], 140 + darkest)
    assert dataset.class_names == names
    assert dataset.origin == f"{source.facts.title} from {tmp_path / folder}"


def test_class_names():
    assert tuple("0123456789") == DIGITS
    assert (FASHION[0], FASHION[9], len(FASHION)) == ("T-shirt/top", "Ankle boot", 10)


def test_files_in_data_dir_itself_are_mnist_only(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(RequestError, match="Fashion-MNIST not found: "):
        mnist.find(mnist.FASHION_MNIST, tmp_path)


def test_a_gzipped_file_is_recognized_by_its_contents(tmp_path):
    write_mnist(tmp_path)
    path = tmp_path / mnist.TRAIN_LABELS
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(mnist.find(mnist.MNIST, tmp_path).read().train.labels) == 40


def test_one_file_missing(tmp_path):
    (write_mnist(tmp_path) / mnist.TEST_LABELS).unlink()
    with pytest.raises(RequestError, match="MNIST not found: looked for t10k-labels-idx1-ubyte"):
        mnist.find(mnist.MNIST, tmp_path)


def flipped_gzip(contents):
    packed = bytearray(gzip.compress(contents))
    packed[len(packed) // 2] ^= 0xFF
    return packed


@pytest.mark.parametrize("name", [mnist.TRAIN_IMAGES, mnist.TEST_LABELS])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda sound: sound[:-10], "its header promises .* bytes of values, found [0-9]"),
        (lambda sound: sound[:9], "cut short|promises"),
        (lambda sound: b"", "it is cut short inside its header"),
        (lambda sound: sound + b"x", "its header promises .*, found more"),
        (lambda sound: b"\x00\x00\x0d" + sound[3:], "magic number 0x00000d0"),
        (lambda sound: gzip.compress(sound)[:-20], "ended before|promises"),
        (flipped_gzip, "decompressing|CRC|promises"),
        (lambda sound: sound[:4] + b"\xff" * 4 + sound[8:], "its header states the shape"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, damage, message):
    path = write_mnist(tmp_path) / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RequestError) as error:
        mnist.find(mnist.MNIST, tmp_path).read()
    assert re.fullmatch(
        rf"{path}: cannot be used \(.*({message}).*\); fetch it again", str(error.value)
    )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (mnist.TEST_LABELS, np.zeros(24), "24 labels for the 25 images"),
        (mnist.TEST_IMAGES, np.zeros(25), "magic number 0x00000801, expected 0x00000803"),
        (mnist.TEST_IMAGES, np.zeros((25, 32, 28)), "32×28 pixels, expected 28×28"),
        (mnist.TEST_LABELS, np.full(25, 10), "label 1 is 10, expected 0 to 9"),
    ],
)
@pytest.mark.parametrize("source", [mnist.MNIST, mnist.FASHION_MNIST])
def test_sound_files_with_wrong_contents(tmp_path, source, name, values, message):
    write_idx(write_mnist(tmp_path / source.facts.folder) / name, values)
    with pytest.raises(RequestError, match=message):
        mnist.find(source, tmp_path).read()
