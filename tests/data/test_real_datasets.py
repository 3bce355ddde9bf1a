"""Real files of the datasets, where they are at hand."""

import numpy as np
import pytest

from data import cifar, mnist, omniglot
from data.class_names import CIFAR10, CIFAR100, CIFAR100_FINE
from tests.support.command import ROOT

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DATA / "omniglot").is_dir(),
    reason=f"no real data: put the datasets into {DATA} (see the README on where to get them)",
)


def lines_of(path):
    return tuple(path.read_text().split())


@pytest.mark.parametrize("source", [mnist.MNIST, mnist.FASHION_MNIST])
def test_mnist_and_fashion(source):
    dataset = mnist.find(source, DATA).read()
    assert dataset.train.images.shape == (60_000, 28, 28, 1)
    assert dataset.test.images.shape == (10_000, 28, 28, 1)
    assert set(dataset.test.labels) == set(range(10))


def test_cifar_10():
    dataset = cifar.find(cifar.CIFAR_10, DATA).read()
    assert dataset.train.images.shape == (5_000, 32, 32, 3)
    assert dataset.test.images.shape == (1_000, 32, 32, 3)
    assert lines_of(DATA / "cifar-10-batches-bin" / "batches.meta.txt") == CIFAR10


def test_cifar_100():
    dataset = cifar.find(cifar.CIFAR_100, DATA).read()
    assert dataset.train.images.shape == (10_000, 32, 32, 3)
    assert dataset.test.images.shape == (2_000, 32, 32, 3)
    folder = DATA / "cifar-100-binary"
    assert lines_of(folder / "fine_label_names.txt") == CIFAR100_FINE
    assert lines_of(folder / "coarse_label_names.txt") == tuple(CIFAR100)
    # Every class of every superclass stands in the file, and no other: loading checks the rest.
    pairs = np.fromfile(folder / "train.bin", np.uint8).reshape(-1, 3074)[:, :2]
    superclasses = tuple(CIFAR100)
    found = {(superclasses[coarse], CIFAR100_FINE[fine]) for coarse, fine in pairs}
    assert found == {(coarse, fine) for coarse, names in CIFAR100.items() for fine in names}


def test_omniglot():
    alphabets = omniglot.find_alphabets(DATA)
    assert len(alphabets) == 8
    assert {name: len(alphabets[name]) for name in ("Greek", "Latin")} == {"Greek": 24, "Latin": 26}
    assert sum(map(len, alphabets.values())) == 242
    dataset = omniglot.find(DATA, 28, quiet=True).read()
    assert dataset.train.images.shape == (3_872, 28, 28, 1)
    assert dataset.test.images.shape == (968, 28, 28, 1)
    assert np.bincount(dataset.train.labels).tolist() == [16] * 242
    assert dataset.class_names[0] == "Balinese/character01"
    assert (dataset.train.images > 200).mean() > 0.7  # paper is white
