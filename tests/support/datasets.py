"""Writes tiny files of every dataset in their real formats."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from data.class_names import CIFAR100, CIFAR100_FINE
from data.dataset import Dataset
from data.loading import load_datasets
from settings import DataSettings

BREEDS = ("beagle", "collie", "dingo")


def load_tiny(
    names: Iterable[str], data_dir: Path | None, size: int = 28, **settings: object
) -> dict:
    """Loads datasets by their names, with other settings of the data."""
    return load_datasets(names, DataSettings(data_dir, **settings), size, quiet=True)


def check_equal(dataset: Dataset, expected: Dataset) -> None:
    """Checks that two datasets are equal, whatever their origin."""
    assert dataset.class_names == expected.class_names
    for split, other in ((dataset.train, expected.train), (dataset.test, expected.test)):
        np.testing.assert_array_equal(split.images, other.images)
        np.testing.assert_array_equal(split.labels, other.labels)


def write_idx(path: Path, values: np.ndarray) -> Path:
    """Writes an IDX file of unsigned bytes, gzipped if the name ends in .gz."""
    header = struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)
    contents = header + values.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(contents) if path.suffix == ".gz" else contents)
    return path


def write_mnist(
    folder: Path, train: int = 40, test: int = 25, suffix: str = "", darkest: int = 0
) -> Path:
    """Writes MNIST's four files; every pixel of an image is `darkest` + 20 times its label."""
    for name, count in (("train", train), ("t10k", test)):
        labels = np.arange(count) % 10
        images = np.broadcast_to(darkest + 20 * labels[:, None, None], (count, 28, 28))
        write_idx(folder / f"{name}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte{suffix}", labels)
    return folder


def write_fashion(folder: Path, train: int = 40, test: int = 25, suffix: str = "") -> Path:
    """Writes Fashion-MNIST's four files; every pixel of an image is 5 + 20 times its label."""
    return write_mnist(folder, train, test, suffix, darkest=5)


def cifar_records(labels: np.ndarray, red: np.ndarray) -> bytes:
    """Returns CIFAR records of labels [N, 1 or 2] and images of one color (red [N], 10, 200)."""
    planes = np.empty((len(labels), 3, 32 * 32), np.uint8)
    planes[:] = np.stack([red, np.full(len(red), 10), np.full(len(red), 200)], axis=1)[..., None]
    return np.hstack([labels.astype(np.uint8), planes.reshape(len(labels), -1)]).tobytes()


def write_cifar10(folder: Path, each: int = 1) -> Path:
    """Writes CIFAR-10's six files with `each` images per class; red is 20 times the label."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.arange(10 * each) % 10
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(cifar_records(labels[:, None], 20 * labels))
    return folder


def write_cifar100(folder: Path, each: int = 1) -> Path:
    """Writes CIFAR-100's two files with `each` images per class; red is twice the label."""
    folder.mkdir(parents=True, exist_ok=True)
    superclass = {name: index for index, names in enumerate(CIFAR100.values()) for name in names}
    fine = np.arange(100 * each) % 100
    coarse = np.array([superclass[CIFAR100_FINE[label]] for label in fine])
    for name in ("train", "test"):
        records = cifar_records(np.stack([coarse, fine], axis=1), 2 * fine)
        (folder / f"{name}.bin").write_bytes(records)
    return folder


def drawing(value: int, size: tuple[int, int] = (105, 105)) -> bytes:
    """Returns a PNG file of one gray value."""
    buffer = io.BytesIO()
    Image.new("L", size, value).save(buffer, "PNG")
    return buffer.getvalue()


def write_omniglot(
    folder: Path, alphabets: dict[str, int] | None = None, drawers: int = 20
) -> Path:
    """Writes Omniglot's two zip files, with alphabets (name to number of characters) in turn.

    Every pixel of a drawing is 10 times its label.
    """
    alphabets = alphabets or {"Greek": 3, "Latin": 2}
    folder.mkdir(parents=True, exist_ok=True)
    label = 0
    for place, alphabet in enumerate(sorted(alphabets)):
        inside = ("images_background", "images_evaluation")[place % 2]
        with zipfile.ZipFile(folder / f"{inside}.zip", "a") as archive:
            for number in range(1, alphabets[alphabet] + 1):
                character = f"{inside}/{alphabet}/character{number:02}"
                for drawer in range(1, drawers + 1):
                    archive.writestr(f"{character}/{label:04}_{drawer:02}.png", drawing(10 * label))
                label += 1
    return folder


def png_that_claims(width: int, height: int) -> bytes:
    """Returns a PNG file of a few bytes whose header states a size."""

    def chunk(kind: bytes, contents: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + contents))
        return struct.pack(">I", len(contents)) + kind + contents + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


def photograph(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (90, 60)) -> Path:
    """Writes an image file of one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def write_kaggle(folder: Path, each: int = 10) -> Path:
    """Writes photographs in Kaggle's layout; their red is 80 times the index of the breed."""
    rows = ["id,breed"]
    for index, breed in enumerate(BREEDS):
        for number in range(each):
            photograph(folder / "train" / f"{breed}{number}.jpg", (80 * index, 10, 200))
            rows.append(f"{breed}{number},{breed}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder
