"""A decoded dataset on disk, as a safe `.npz` file that knows what it was made from."""

import math
import os
import tempfile
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from data.dataset import Dataset, Split

# Raised when the file's contents change, so that an older one is made anew.
VERSION = 1
ZIP_MAGIC = b"PK\x03\x04"


def save(path: Path, dataset: Dataset, fingerprint: str) -> None:
    """Writes the dataset, whole or not at all.

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
    """The dataset in the file, if it was made from what `fingerprint` stands for (None: anything).

    Its images are [N, size, size, 3] uint8.

    Raises:
        ValueError: it is stale, damaged, or of another size or version; the message says which.
    """
    try:
        with ZipFile(path) as archive:
            if read_array(archive, "version") != VERSION:
                raise ValueError("written by another version")
            if fingerprint not in (None, str(read_array(archive, "fingerprint"))):
                raise ValueError("the photographs have changed")
            class_names = checked_names(read_array(archive, "class_names"))
            splits = [
                checked_split(
                    read_array(archive, f"{split}_images"),
                    read_array(archive, f"{split}_labels"),
                    len(class_names),
                    size,
                )
                for split in ("train", "test")
            ]
    except ValueError:
        raise
    except Exception as error:  # on damaged files NumPy and zipfile raise nearly anything
        raise ValueError(f"damaged ({error})") from error
    return Dataset(*splits, class_names=class_names, origin=str(path))


def read_array(archive: ZipFile, name: str) -> np.ndarray:
    """One of the file's arrays, which takes no more memory than it takes room in the file.

    It is read to its end, where zipfile compares its checksum.

    Raises:
        ValueError: it is not stored as `save` does.
        Exception: the file is damaged.
    """
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != ZIP_STORED:
        raise ValueError("damaged (it is compressed, which this program never does)")
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("written by another version")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        values = file.read()
    if dtype.hasobject or len(values) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"damaged ({name} is not as large as it says, or no numbers or text)")
    return np.frombuffer(values, dtype).reshape(shape, order="F" if by_columns else "C")


def checked_names(names: np.ndarray) -> tuple[str, ...]:
    """The class names of what a file claims to be them."""
    if names.ndim != 1 or names.dtype.kind != "U" or len({*names.tolist(), ""}) != len(names) + 1:
        raise ValueError("its class names are not different texts")
    return tuple(names.tolist())


def checked_split(images: np.ndarray, labels: np.ndarray, classes: int, size: int) -> Split:
    """A split of what a file claims to be one."""
    sound = (
        images.dtype == np.uint8
        and images.ndim == 4
        and len(images) == len(labels)
        and images.shape[3] == 3
        and labels.dtype == np.int32
        and labels.ndim == 1
        # Every class has an example, and nothing else has.
        and np.array_equal(np.unique(labels), np.arange(classes))
        and classes > 0
    )
    if not sound:
        raise ValueError("its arrays are not those of a dataset")
    if images.shape[1:3] != (size, size):
        raise ValueError(
            f"its images are {images.shape[1]}×{images.shape[2]} pixels, expected {size}×{size}"
        )
    return Split(images, labels)


def is_npz(path: Path) -> bool:
    """Whether the file begins as an `.npz` file does, or is empty, as one that was cut short."""
    with path.open("rb") as file:
        return file.read(len(ZIP_MAGIC)) in (ZIP_MAGIC, b"")
