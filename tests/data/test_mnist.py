"""MNIST's files, real in form and tiny in size, sound and broken."""

import gzip

import numpy as np
import pytest

from data import mnist
from errors import RequestError
from tests.support.datasets import write_idx, write_mnist


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("inside", [".", "mnist"])
def test_loads_from_the_folder_or_from_mnist_in_it(tmp_path, suffix, inside):
    write_mnist(tmp_path / inside, train=40, test=25, suffix=suffix)
    dataset = mnist.find(mnist.MNIST, tmp_path).read()
    assert dataset.train.images.shape == (40, 28, 28, 1)
    assert dataset.test.images.shape == (25, 28, 28, 1)
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int32
    assert list(dataset.test.labels[:12]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    np.testing.assert_array_equal(dataset.train.images[7], 140)
    assert dataset.class_names == tuple("0123456789")


def test_a_gzipped_file_is_known_by_its_contents(tmp_path):
    write_mnist(tmp_path)
    path = tmp_path / mnist.TRAIN_LABELS
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(mnist.find(mnist.MNIST, tmp_path).read().train.labels) == 40


def test_nothing_there(tmp_path):
    with pytest.raises(RequestError, match=r"not found: looked in .* for train-images-idx3-ubyte"):
        mnist.find(mnist.MNIST, tmp_path).read()


def test_one_file_missing(tmp_path):
    (write_mnist(tmp_path) / mnist.TEST_LABELS).unlink()
    with pytest.raises(RequestError, match="t10k-labels-idx1-ubyte"):
        mnist.find(mnist.MNIST, tmp_path).read()


def cut(path, contents):
    path.write_bytes(contents[:-10])


def cut_in_header(path, contents):
    path.write_bytes(contents[:9])


def emptied(path, contents):
    path.write_bytes(b"")


def too_long(path, contents):
    path.write_bytes(contents + b"x")


def other_type(path, contents):
    path.write_bytes(b"\x00\x00\x0d" + contents[3:])


def cut_gzip(path, contents):
    path.write_bytes(gzip.compress(contents)[:-20])


def flipped_gzip(path, contents):
    packed = bytearray(gzip.compress(contents))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)


def huge(path, contents):
    path.write_bytes(contents[:4] + b"\xff" * 4 + contents[8:])


@pytest.mark.parametrize("name", [mnist.TRAIN_IMAGES, mnist.TEST_LABELS])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "cut short or damaged"),
        (cut_in_header, "cut short"),
        (emptied, "cut short"),
        (too_long, "cut short or damaged: .* found more"),
        (other_type, "magic number 0x00000d0"),
        (cut_gzip, "cut short or damaged"),
        (flipped_gzip, "damaged"),
        (huge, "header states the size"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, damage, message):
    path = write_mnist(tmp_path) / name
    damage(path, path.read_bytes())
    with pytest.raises(RequestError, match=f"{name}: .*{message}"):
        mnist.find(mnist.MNIST, tmp_path).read()


def test_labels_in_place_of_images(tmp_path):
    folder = write_mnist(tmp_path)
    (folder / mnist.TRAIN_LABELS).replace(folder / mnist.TRAIN_IMAGES)
    write_idx(folder / mnist.TRAIN_LABELS, np.zeros(40))
    with pytest.raises(RequestError, match="magic number 0x00000801, expected 0x00000803"):
        mnist.find(mnist.MNIST, tmp_path).read()


def test_counts_that_differ(tmp_path):
    folder = write_mnist(tmp_path)
    write_idx(folder / mnist.TEST_LABELS, np.zeros(24))
    with pytest.raises(RequestError, match="24 labels for the 25 images"):
        mnist.find(mnist.MNIST, tmp_path).read()


def test_images_of_another_size(tmp_path):
    folder = write_mnist(tmp_path)
    write_idx(folder / mnist.TEST_IMAGES, np.zeros((25, 32, 28)))
    with pytest.raises(RequestError, match="32×28 pixels, expected 28×28"):
        mnist.find(mnist.MNIST, tmp_path).read()


def test_a_label_that_is_no_digit(tmp_path):
    folder = write_mnist(tmp_path)
    write_idx(folder / mnist.TEST_LABELS, np.full(25, 10))
    with pytest.raises(RequestError, match="label 10, expected 0 to 9"):
        mnist.find(mnist.MNIST, tmp_path).read()
