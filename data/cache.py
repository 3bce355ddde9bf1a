"""Decoded datasets on disk, as safe `.npz` files with a fingerprint of their source."""

import math
import os
import tempfile
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from data.dataset import Dataset, Split

# To be raised when the format changes, so that older files are rebuilt.
VERSION = 1
ZIP_MAGIC = b"PK\x03\x04"


def save(path: Path, dataset: Dataset, fingerprint: str) -> None:
    """Writes the dataset, complete or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cache-", dir=path.parent) as scratch:
        whole = Path(scratch, path.name)
        with whole.open("wb") as file:
            np.savez(
                file,
                version=VERSION,
                fingerprint=fingerprint,
                class_names=np.array(dataset.class_names),
                train_images=dataset.train.images,
                train_labels=dataset.train.labels,
                test_images=dataset.test.images,
                test_labels=dataset.test.labels,
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, path)


def load(path: Path, fingerprint: str | None, size: int) -> Dataset:
    """Loads a dataset with images [N, size, size, 3] uint8.

    Raises:
        ValueError: the file is damaged, is of another size or version, or was made from something
            else than `fingerprint` stands for (None: anything).
    """
    try:
        with ZipFile(path) as archive:
            if read_array(archive, "version") != VERSION:
                raise ValueError("written by another version")
            if fingerprint not in (None, str(read_array(archive, "fingerprint"))):
                raise ValueError("the photographs have changed")
            class_names = read_class_names(archive)
            classes = len(class_names)
            train, test = (read_split(archive, each, classes, size) for each in ("train", "test"))
    except ValueError:
        raise
    except Exception as error:  # on damaged files NumPy and zipfile raise nearly anything
        raise ValueError(f"damaged ({error})") from error
    return Dataset(train, test, class_names, origin=str(path))


def read_array(archive: ZipFile, name: str) -> np.ndarray:
    """Reads one of the file's arrays, which takes no more memory than room in the file.

    It is read to its end, where zipfile compares its checksum.

    Raises:
        ValueError: it is not in the format of `save`.
        Exception: the file is damaged.
    """
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != ZIP_STORED:
        raise ValueError("damaged (it is compressed, unlike the files of this program)")
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("written by another version")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        values = file.read()
    if dtype.hasobject or len(values) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"damaged ({name} is not of the size that it states, or holds objects)")
    return np.frombuffer(values, dtype).reshape(shape, order="F" if by_columns else "C")


def read_class_names(archive: ZipFile) -> tuple[str, ...]:
    """Reads the class names; raises ValueError if they are not distinct texts."""
    names = read_array(archive, "class_names")
    if names.ndim != 1 or names.dtype.kind != "U" or len({*names.tolist(), ""}) != len(names) + 1:
        raise ValueError("its class names are not distinct texts")
    return tuple(names.tolist())


def read_split(archive: ZipFile, split: str, classes: int, size: int) -> Split:
    """Reads a split; raises ValueError if its arrays do not form one with images of that size."""
    images, labels = (read_array(archive, f"{split}_{part}") for part in ("images", "labels"))
    sound = (
        images.dtype == np.uint8
        and images.ndim == 4
        and len(images) == len(labels)
        and images.shape[3] == 3
        and labels.dtype == np.int32
        and labels.ndim == 1
        # Every class has an example, and every label is a class.
        and np.array_equal(np.unique(labels), np.arange(classes))
        and classes > 0
    )
    if not sound:
        raise ValueError("its arrays do not form a dataset")
    if images.shape[1:3] != (size, size):
        raise ValueError(
            f"its images are {images.shape[1]}×{images.shape[2]} pixels, expected {size}×{size}"
        )
    return Split(images, labels)


def is_npz(path: Path) -> bool:
    """Returns True if the file begins like an `.npz` file, or is empty (one that was truncated)."""
    with path.open("rb") as file:
        return file.read(len(ZIP_MAGIC)) in (ZIP_MAGIC, b"")
