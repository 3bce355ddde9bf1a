"""CIFAR's binary files, sound and damaged."""

import os
import re

import numpy as np
import pytest

from data import cifar
from data.class_names import CIFAR10, CIFAR100, CIFAR100_FINE
from errors import RequestError
from tests.support.datasets import cifar_records, write_cifar10, write_cifar100


def test_cifar_10(tmp_path):
    write_cifar10(tmp_path / "cifar-10-batches-bin", each=2)
    dataset = cifar.find(cifar.CIFAR_10, tmp_path).read()
    assert dataset.train.images.shape == (100, 32, 32, 3)
    assert dataset.test.images.shape == (20, 32, 32, 3)
    assert dataset.class_names == CIFAR10
    assert dataset.origin == f"CIFAR-10 from {tmp_path / 'cifar-10-batches-bin'}"
    for split in (dataset.train, dataset.test):
        assert split.images.dtype == np.uint8
        assert split.images.flags.c_contiguous
        assert split.labels.dtype == np.int32
        assert np.bincount(split.labels).tolist() == [len(split.labels) // 10] * 10
        colors = np.stack([20 * split.labels, *np.full((2, len(split.labels)), [[10], [200]])], 1)
        np.testing.assert_array_equal(
            split.images, colors[:, None, None, :] + np.zeros((32, 32, 1))
        )


def test_cifar_100(tmp_path):
    write_cifar100(tmp_path / "cifar-100-binary")
    dataset = cifar.find(cifar.CIFAR_100, tmp_path).read()
    assert dataset.class_names == CIFAR100_FINE
    for split in (dataset.train, dataset.test):
        assert split.images.shape == (100, 32, 32, 3)
        assert split.labels.dtype == np.int32
        assert split.labels.tolist() == list(range(100))
        np.testing.assert_array_equal(split.images[:, 5, 6, 0], 2 * split.labels)


def test_a_record_is_planes_of_rows(tmp_path):
    folder = write_cifar10(tmp_path / "cifar-10-batches-bin")
    record = bytearray(1 + 3072)
    record[0] = 7
    record[1 + 3 * 32 + 4] = 100  # red, row 3, column 4
    record[1 + 1024 + 31] = 101  # green, row 0, column 31
    record[1 + 2048 + 31 * 32] = 102  # blue, row 31, column 0
    (folder / "test_batch.bin").write_bytes(record)
    test = cifar.find(cifar.CIFAR_10, tmp_path).read().test
    assert test.labels.tolist() == [7]
    assert test.images[0, 3, 4].tolist() == [100, 0, 0]
    assert test.images[0, 0, 31].tolist() == [0, 101, 0]
    assert test.images[0, 31, 0].tolist() == [0, 0, 102]
    assert test.images.sum() == 303


def test_the_batches_are_taken_in_their_order(tmp_path):
    folder = write_cifar10(tmp_path / "cifar-10-batches-bin")
    for number in range(1, 6):
        label = np.array([number])
        contents = cifar_records(label[:, None], label)
        (folder / f"data_batch_{number}.bin").write_bytes(contents)
    assert cifar.find(cifar.CIFAR_10, tmp_path).read().train.labels.tolist() == [1, 2, 3, 4, 5]


def test_the_hundred_classes():
    assert (len(CIFAR100), len(CIFAR100_FINE), len(set(CIFAR100_FINE))) == (20, 100, 100)
    assert {len(names) for names in CIFAR100.values()} == {5}
    assert CIFAR100_FINE[:2] + CIFAR100_FINE[99:] == ("apple", "aquarium_fish", "worm")


IMAGE = bytes(3072)


@pytest.mark.parametrize(
    ("source", "name", "contents", "message"),
    [
        (
            *(cifar.CIFAR_10, "data_batch_3.bin", bytes(3073 + 3072)),
            "it has 6,145 bytes, expected a multiple of 3,073, the size of .*",
        ),
        (cifar.CIFAR_10, "test_batch.bin", bytes(100), "it has 100 bytes, expected a multiple .*"),
        (cifar.CIFAR_10, "test_batch.bin", b"", "it has 0 bytes, expected a multiple of 3,073, .*"),
        (cifar.CIFAR_100, "train.bin", b"", "it has 0 bytes, expected a multiple of 3,074, .*"),
        (cifar.CIFAR_100, "test.bin", bytes(3073), "it has 3,073 bytes, expected .* of 3,074, .*"),
        (
            *(cifar.CIFAR_10, "test_batch.bin", b"\0" + IMAGE + b"\x0a" + IMAGE),
            "label 2 is 10, expected 0 to 9",
        ),
        (cifar.CIFAR_100, "test.bin", b"\x04\x64" + IMAGE, "label 1 is 100, expected 0 to 99"),
        *(
            (
                *(cifar.CIFAR_100, "train.bin", b"\4\0" + IMAGE + bytes([coarse, 0]) + IMAGE),
                rf"coarse label 2 is {coarse}, expected 4 for the label 0 \(apple\)",
            )
            for coarse in (3, 20)
        ),
    ],
)
def test_a_damaged_file_is_named(tmp_path, source, name, contents, message):
    write = write_cifar10 if source is cifar.CIFAR_10 else write_cifar100
    path = write(tmp_path / source.facts.folder) / name
    path.write_bytes(contents)
    with pytest.raises(RequestError) as error:
        cifar.find(source, tmp_path).read()
    assert re.fullmatch(rf"{path}: cannot be used \({message}\); fetch it again", str(error.value))


def test_a_file_far_too_large_is_not_read(tmp_path):
    path = write_cifar10(tmp_path / "cifar-10-batches-bin") / "data_batch_1.bin"
    os.truncate(path, 3073 * 400_000)  # sparse: it takes no room on the disk
    with pytest.raises(RequestError, match=r"has 1,229,200,000 bytes, expected at most 1,073"):
        cifar.find(cifar.CIFAR_10, tmp_path)


def test_one_file_missing(tmp_path):
    (write_cifar10(tmp_path / "cifar-10-batches-bin") / "data_batch_4.bin").unlink()
    with pytest.raises(
        RequestError, match=r"CIFAR-10 not found: looked for \S*/data_batch_4.bin; "
    ):
        cifar.find(cifar.CIFAR_10, tmp_path).read()
