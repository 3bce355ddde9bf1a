"""A decoded dataset on disk, as a safe `.npz` file that knows what it was made from."""

import os
import tempfile
from pathlib import Path

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
        with np.load(path, allow_pickle=False) as file:
            stored = dict(file)
        if stored["version"] != VERSION:
            raise ValueError("written by another version")
        if fingerprint is not None and str(stored["fingerprint"]) != fingerprint:
            raise ValueError("the photographs have changed")
        class_names = tuple(str(name) for name in stored["class_names"])
        splits = [
            checked_split(
                stored[f"{split}_images"], stored[f"{split}_labels"], len(class_names), size
            )
            for split in ("train", "test")
        ]
    except ValueError:
        raise
    except Exception as error:  # on damaged files NumPy and zipfile raise nearly anything
        raise ValueError(f"damaged ({error})") from error
    return Dataset(*splits, class_names=class_names, origin=str(path))


def checked_split(images: np.ndarray, labels: np.ndarray, classes: int, size: int) -> Split:
    """A split of what a file claims to be one."""
    sound = (
        images.dtype == np.uint8
        and images.ndim == 4
        and len(images) == len(labels)
        and images.shape[3] == 3
        and labels.dtype == np.int32
        and labels.ndim == 1
        and len(labels) > 0
        and labels.min() >= 0
        and labels.max() < classes
    )
    if not sound:
        raise ValueError("its arrays are not those of a dataset")
    if images.shape[1:3] != (size, size):
        raise ValueError(
            f"its images are {images.shape[1]}×{images.shape[2]} pixels, expected {size}×{size}"
        )
    return Split(images, labels)


def is_npz(path: Path) -> bool:
    """Whether the file begins as an `.npz` file does."""
    with path.open("rb") as file:
        return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
