"""Fashion-MNIST: MNIST's files under another name, never taken one for the other."""

import numpy as np
import pytest

from data import mnist
from data.class_names import FASHION
from errors import RequestError
from tests.support.datasets import write_fashion, write_idx, write_mnist


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_loads_from_its_folder(tmp_path, suffix):
    write_fashion(tmp_path / "fashion-mnist", train=40, test=25, suffix=suffix)
    dataset = mnist.find(mnist.FASHION_MNIST, tmp_path).read()
    assert dataset.train.images.shape == (40, 28, 28, 1)
    assert dataset.test.images.shape == (25, 28, 28, 1)
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int32
    assert list(dataset.test.labels[:11]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    np.testing.assert_array_equal(dataset.train.images[7], 145)
    assert dataset.class_names == FASHION
    assert (FASHION[0], FASHION[9], len(FASHION)) == ("T-shirt/top", "Ankle boot", 10)
    assert dataset.origin == f"Fashion-MNIST from {tmp_path / 'fashion-mnist'}"


def test_beside_mnist_each_is_itself(tmp_path):
    write_mnist(tmp_path / "mnist")
    write_fashion(tmp_path / "fashion-mnist")
    assert mnist.find(mnist.MNIST, tmp_path).read().train.images[0].max() == 0
    assert mnist.find(mnist.FASHION_MNIST, tmp_path).read().train.images[0].max() == 5


def test_files_in_the_folder_itself_are_taken_for_mnist_alone(tmp_path):
    write_mnist(tmp_path)
    assert len(mnist.find(mnist.MNIST, tmp_path).read().train.labels) == 40
    with pytest.raises(RequestError) as error:
        mnist.find(mnist.FASHION_MNIST, tmp_path).read()
    assert str(error.value) == (
        f"Fashion-MNIST not found: looked in {tmp_path / 'fashion-mnist'} for "
        "train-images-idx3-ubyte or train-images-idx3-ubyte.gz; name the folder that holds "
        "fashion-mnist/ with its IDX files with --data-dir, or leave --data-dir out to download "
        "them"
    )


def test_broken_files_are_told_as_mnists_are(tmp_path):
    folder = write_fashion(tmp_path / "fashion-mnist")
    write_idx(folder / mnist.TEST_LABELS, np.full(25, 10))
    with pytest.raises(RequestError, match="label 10, expected 0 to 9; fetch it again"):
        mnist.find(mnist.FASHION_MNIST, tmp_path).read()
    write_idx(folder / mnist.TEST_IMAGES, np.zeros((25, 32, 28)))
    with pytest.raises(RequestError, match="expected 28×28; is it a file of Fashion-MNIST"):
        mnist.find(mnist.FASHION_MNIST, tmp_path).read()
