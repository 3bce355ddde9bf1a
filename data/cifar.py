"""CIFAR-10 and CIFAR-100, each from its official binary version, complete or shortened.

Krizhevsky: Learning multiple layers of features from tiny images, 2009.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.catalog import CATALOG, DatasetFacts
from data.class_names import CIFAR10, CIFAR100, CIFAR100_FINE
from data.dataset import Dataset, PendingDataset, Split
from data.download import RemoteFile, dataset_folder, download_folder, not_found
from data.files import check_labels, open_bounded, read_errors
from files import open_regular

# The height and width of the images in the files, in pixels.
FILE_SIZE = 32
# An image in a file: its red, green and blue values, row by row.
IMAGE_BYTES = 3 * FILE_SIZE * FILE_SIZE
# Far above any such file (the largest has 154 MB).
MOST_BYTES = 1 << 30

# The label of the superclass of each class of CIFAR-100, by name and as an array [100].
SUPERCLASSES = {name: index for index, names in enumerate(CIFAR100.values()) for name in names}
COARSE_OF_FINE = np.array([SUPERCLASSES[name] for name in CIFAR100_FINE])


@dataclass(frozen=True)
class Source:
    """One of the two datasets.

    A record is the byte of its label, in CIFAR-100 after that of its superclass, and an image.
    """

    facts: DatasetFacts
    train: tuple[str, ...]  # files
    test: tuple[str, ...]
    class_names: tuple[str, ...]
    record_bytes: int
    archive: RemoteFile


CIFAR_10 = Source(
    facts=CATALOG["cifar10"],
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test=("test_batch.bin",),
    class_names=CIFAR10,
    record_bytes=1 + IMAGE_BYTES,
    archive=RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        170_052_171,
        "c32a1d4ab5d03f1284b67883e8d87530",
    ),
)
CIFAR_100 = Source(
    facts=CATALOG["cifar100"],
    train=("train.bin",),
    test=("test.bin",),
    class_names=CIFAR100_FINE,
    record_bytes=2 + IMAGE_BYTES,
    archive=RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        168_513_733,
        "03b5dce01913d631647c71ecec9e9cb8",
    ),
)


def find(source: Source, data_dir: Path | None, quiet: bool = False) -> PendingDataset:
    """Finds a dataset's files in its folder in `data_dir` and checks their sizes.

    With None it looks in the cache folder and downloads the folder if it is missing. The dataset's
    images are [N, 32, 32, 3] uint8, its labels [N] int32 (CIFAR-100: of the fine classes).

    Raises:
        RequestError: files are missing or damaged, or the download failed.
    """
    folder = dataset_folder(source.facts, data_dir)
    if data_dir is None:
        download_folder(source.facts, source.archive, folder, quiet)
    train, test = ([folder / name for name in names] for names in (source.train, source.test))
    for path in train + test:
        if not path.exists():
            instead = f"remove {folder}" if data_dir is None else "leave --data-dir out"
            raise not_found(source.facts, path, f"{instead} to download the data")
    return PendingDataset(
        name=source.facts.title,
        count=sum(count_records(source, path) for path in train + test),
        shape=(FILE_SIZE, FILE_SIZE, source.facts.channels),
        read=lambda: Dataset(
            train=read_split(source, train),
            test=read_split(source, test),
            class_names=source.class_names,
            origin=f"{source.facts.title} from {folder}",
        ),
    )


def read_split(source: Source, paths: Sequence[Path]) -> Split:
    """Reads a split from its files.

    Raises:
        RequestError: a file is damaged.
    """
    records = [read_records(source, path) for path in paths]
    labels = np.concatenate([each[:, -IMAGE_BYTES - 1] for each in records])
    images = np.empty((len(labels), FILE_SIZE, FILE_SIZE, 3), np.uint8)
    planes = [each[:, -IMAGE_BYTES:].reshape(-1, 3, FILE_SIZE, FILE_SIZE) for each in records]
    np.concatenate([each.transpose(0, 2, 3, 1) for each in planes], out=images)
    return Split(images, labels=labels.astype(np.int32))


def count_records(source: Source, path: Path) -> int:
    """Returns the number of records in a file, from its size.

    Raises:
        RequestError: it is not a whole number, is 0, or is far too large.
    """
    with read_errors(path), open_bounded(path, MOST_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0 or size % source.record_bytes:
            raise ValueError(
                f"it has {size:,} bytes, expected a multiple of {source.record_bytes:,}, the size "
                f"of a record of {source.facts.title}"
            )
    return size // source.record_bytes


def read_records(source: Source, path: Path) -> np.ndarray:
    """Reads a file's records [N, labels + IMAGE_BYTES] uint8 and checks their labels.

    Raises:
        RequestError: the file is damaged, or a label is out of range.
    """
    values = count_records(source, path) * source.record_bytes
    with read_errors(path), open_regular(path) as file:
        records = np.fromfile(file, np.uint8, values).reshape(-1, source.record_bytes)
        *superclasses, labels = records[:, :-IMAGE_BYTES].T
        check_labels(labels, source.class_names)
        for coarse in superclasses:
            check_superclasses(coarse, labels)
    return records


def check_superclasses(coarse: np.ndarray, fine: np.ndarray) -> None:
    """Raises ValueError if a class of CIFAR-100 has another superclass's label."""
    expected = COARSE_OF_FINE[fine]
    wrong = np.flatnonzero(coarse != expected)
    if len(wrong):
        place = wrong[0]
        raise ValueError(
            f"coarse label {place + 1:,} is {coarse[place]}, expected {expected[place]} for the "
            f"label {fine[place]} ({CIFAR100_FINE[fine[place]]})"
        )
