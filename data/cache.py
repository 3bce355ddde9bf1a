"""Decoded datasets on disk, as safe `.npz` files with a fingerprint of their source."""

import os
import re
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from data.dataset import Dataset, Split
from data.files import is_class_name
from files import check_regular, open_regular, scratch_folder

# To be raised when the format or the decoding changes, so that older files are rebuilt.
VERSION = 2
HEADER = ("version", "fingerprint", "class_names")
ARRAYS = (*HEADER, "train_images", "train_labels", "test_images", "test_labels")
# By its beginning a file is known as one of this program's, of any version, even if it was cut
# short: the zip headers of its first members.
HEAD_BYTES = 1024
HEAD = re.compile(b".*?".join(rb"PK\x03\x04.{26}%s\.npy" % n.encode() for n in HEADER), re.DOTALL)


def save(path: Path, dataset: Dataset, fingerprint: str) -> None:
    """Writes the dataset, complete or not at all.

    Raises:
        ValueError: there is a file that this program did not write.
        OSError: it cannot be written.
    """
    train, test = dataset.train, dataset.test
    values = (VERSION, fingerprint, np.array(dataset.class_names))
    values += (train.images, train.labels, test.images, test.labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(path.parent) as scratch:
        whole = scratch / path.name
        with whole.open("wb") as file:
            np.savez(file, **dict(zip(ARRAYS, values, strict=True)))
            file.flush()
            os.fsync(file.fileno())
        check_replaceable(path)
        os.replace(whole, path)


def check_replaceable(path: Path) -> None:
    """Checks that a cache may be written to `path`: in place of another, an empty file or nothing.

    Raises:
        ValueError: there is a file that this program did not write.
        OSError: there is something else, such as a link, or it cannot be read.
    """
    with suppress(FileNotFoundError):
        check_regular(path, path.lstat().st_mode)
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
        if head and not HEAD.match(head):
            raise ValueError("this program did not write it, and does not replace it")


def load(path: Path, fingerprint: str | None, size: int) -> Dataset:
    """Loads a dataset with images [N, size, size, 3] uint8.

    Raises:
        ValueError: the file is damaged, is of another size or version, or was made from something
            else than `fingerprint` stands for (None: anything).
    """
    try:
        with open_regular(path) as file, ZipFile(file) as archive:
            arrays = {name: read_array(archive, name) for name in ARRAYS}
    except Exception as error:  # on damaged files NumPy and zipfile raise nearly anything
        raise ValueError(f"damaged ({error})") from error
    version, made_from, names, *parts = arrays.values()
    if version.tolist() != VERSION:
        raise ValueError("written by another version")
    if fingerprint not in (None, str(made_from)):
        raise ValueError("the photographs have changed")
    class_names = tuple(names.ravel().tolist())
    sound = names.dtype.kind == "U" and all(map(is_class_name, class_names))
    if not sound or not 0 < len(class_names) == len({*class_names}):
        raise ValueError("its class names are not distinct printable texts")
    splits = Split(*parts[:2]), Split(*parts[2:])
    for split in splits:
        check(split, len(class_names), size)
    return Dataset(*splits, class_names, origin=str(path))


def read_array(archive: ZipFile, name: str) -> np.ndarray:
    """Reads one of the file's arrays, which takes no more memory than room in the file.

    It is read to its end, where zipfile compares its checksum.

    Raises:
        Exception: the file is damaged, or not in the format of `save`.
    """
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != ZIP_STORED:
        raise ValueError("it is compressed, unlike the files of this program")
    with archive.open(member) as file:
        values = np.lib.format.read_array(file, allow_pickle=False)
        if file.read(1):
            raise ValueError(f"{name} is larger than it states")
    return values


def check(split: Split, classes: int, size: int) -> None:
    """Raises ValueError if a split's arrays do not form one with images of that size."""
    images, labels = split.images, split.labels
    if images.shape[1:] != (size, size, 3):
        raise ValueError(f"its images are {images.shape[1:]}, expected {(size, size, 3)}")
    sound = (images.dtype, labels.dtype, labels.shape) == (np.uint8, np.int32, images.shape[:1])
    # Every class has an example, and every label is a class.
    if not sound or not np.array_equal(np.unique(labels), np.arange(classes)):
        raise ValueError("its arrays do not form a dataset")
