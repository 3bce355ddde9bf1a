"""CIFAR-10 and CIFAR-100, each from its official binary version, whole or a part of it.

Krizhevsky: Learning multiple layers of features from tiny images, 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.class_names import CIFAR10, CIFAR100, CIFAR100_FINE
from data.dataset import Dataset, Found, Split
from data.download import cache_folder, download_archive
from errors import RequestError

# The height and width of the images in the files, in pixels.
FILE_SIZE = 32
# An image in a file: its red, green and blue values, row by row.
IMAGE_BYTES = 3 * FILE_SIZE * FILE_SIZE
# Far above any such file (the largest has 154 MB): a larger one is none of them.
MOST_BYTES = 1 << 30

# The superclass that each class of CIFAR-100 belongs to, both as labels.
COARSE_OF_FINE = np.array(
    [
        next(coarse for coarse, names in enumerate(CIFAR100.values()) if fine in names)
        for fine in CIFAR100_FINE
    ]
)


@dataclass(frozen=True)
class Source:
    """One of the two datasets. Its records are a byte for each of its labels, and an image."""

    name: str
    folder: str  # in DATA_DIR and in the cache folder
    train: tuple[str, ...]
    test: tuple[str, ...]
    class_names: tuple[str, ...]
    coarse_names: tuple[str, ...] | None  # where a superclass's label precedes the class's
    url: str
    md5: str


CIFAR_10 = Source(
    name="CIFAR-10",
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test=("test_batch.bin",),
    class_names=CIFAR10,
    coarse_names=None,
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
)
CIFAR_100 = Source(
    name="CIFAR-100",
    folder="cifar-100-binary",
    train=("train.bin",),
    test=("test.bin",),
    class_names=CIFAR100_FINE,
    coarse_names=tuple(CIFAR100),
    url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    md5="03b5dce01913d631647c71ecec9e9cb8",
)


def find(source: Source, data_dir: Path | None, quiet: bool = False) -> Found:
    """The dataset in its folder in `data_dir`; with None in the cache, downloaded if need be.

    Its files are found and their sizes checked. Its images are [N, 32, 32, 3] uint8, its labels [N]
    int32, CIFAR-100's being the fine ones.

    Raises:
        RequestError: files are missing or damaged, or the download failed.
    """
    folder = (cache_folder() if data_dir is None else data_dir) / source.folder
    if data_dir is None and not folder.is_dir():
        fetch(source, folder, quiet)
    for name in source.train + source.test:
        if not (folder / name).is_file():
            again = f"remove {folder}" if data_dir is None else "leave --data-dir out"
            raise RequestError(
                f"{source.name} not found: looked in {folder} for {name}; name the folder that "
                f"holds {source.folder}/ with --data-dir, or {again} to download it"
            )
    return Found(
        name=source.name,
        images=sum(count_records(source, folder / name) for name in source.train + source.test),
        shape=(FILE_SIZE, FILE_SIZE, 3),
        read=lambda: Dataset(
            train=read_split(source, [folder / name for name in source.train]),
            test=read_split(source, [folder / name for name in source.test]),
            class_names=source.class_names,
            origin=f"{source.name} from {folder}",
        ),
    )


def fetch(source: Source, folder: Path, quiet: bool) -> None:
    """Downloads the dataset's archive and unpacks it to `folder`."""
    try:
        download_archive(source.url, source.md5, folder, quiet)
    except RequestError as error:
        raise RequestError(
            f"{source.name} not found: looked for {folder}, and {error}; name the folder that "
            f"holds {source.folder}/ with --data-dir, or connect to a network"
        ) from error


def read_split(source: Source, paths: Sequence[Path]) -> Split:
    """A split from its files.

    Raises:
        RequestError: a file is damaged.
    """
    records = [read_records(source, path) for path in paths]
    labels = np.concatenate([each[:, -IMAGE_BYTES - 1] for each in records])
    images = np.empty((len(labels), FILE_SIZE, FILE_SIZE, 3), np.uint8)
    planes = [each[:, -IMAGE_BYTES:].reshape(-1, 3, FILE_SIZE, FILE_SIZE) for each in records]
    np.concatenate([each.transpose(0, 2, 3, 1) for each in planes], out=images)
    return Split(images, labels=labels.astype(np.int32))


def record_bytes(source: Source) -> int:
    """The size of a record: its labels, and an image."""
    return IMAGE_BYTES + (2 if source.coarse_names else 1)


def count_records(source: Source, path: Path) -> int:
    """How many records a file has, from its size.

    Raises:
        RequestError: that is no whole number, or 0, or far too many.
    """
    record, size = record_bytes(source), path.stat().st_size
    if not 0 < size <= MOST_BYTES:
        raise RequestError(
            f"{path}: has {size:,} bytes, expected {record:,} to {MOST_BYTES:,}; fetch it again"
        )
    if size % record:
        raise RequestError(
            f"{path}: cut short or damaged: has {size:,} bytes, expected a multiple of {record:,}, "
            f"the size of a record of {source.name}; fetch it again"
        )
    return size // record


def read_records(source: Source, path: Path) -> np.ndarray:
    """A file's records [N, labels + IMAGE_BYTES] uint8, their labels checked.

    Raises:
        RequestError: it is no whole number of records, or a label cannot be.
    """
    values = count_records(source, path) * record_bytes(source)
    records = np.fromfile(path, np.uint8, values).reshape(-1, record_bytes(source))
    check_range(path, "label", records[:, -IMAGE_BYTES - 1], source.class_names)
    if source.coarse_names:
        check_range(path, "coarse label", records[:, 0], source.coarse_names)
        check_superclasses(path, coarse=records[:, 0], fine=records[:, 1])
    return records


def check_range(path: Path, kind: str, labels: np.ndarray, names: tuple[str, ...]) -> None:
    """Refuses a label that is none."""
    if labels.max() >= len(names):
        place = labels.argmax()
        raise RequestError(
            f"{path}: record {place + 1:,} has the {kind} {labels[place]}, expected 0 to "
            f"{len(names) - 1}; fetch it again"
        )


def check_superclasses(path: Path, coarse: np.ndarray, fine: np.ndarray) -> None:
    """Refuses a class of CIFAR-100 that stands under another's superclass."""
    expected = COARSE_OF_FINE[fine]
    wrong = np.flatnonzero(coarse != expected)
    if len(wrong):
        place = wrong[0]
        raise RequestError(
            f"{path}: record {place + 1:,} has the coarse label {coarse[place]} with the label "
            f"{fine[place]} ({CIFAR100_FINE[fine[place]]}), expected {expected[place]}; "
            "fetch it again"
        )
