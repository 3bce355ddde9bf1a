"""Small real files of every dataset: real in form and tiny in size."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from data.class_names import CIFAR100, CIFAR100_FINE

BREEDS = ("beagle", "collie", "dingo")


def write_idx(path: Path, values: np.ndarray) -> Path:
    """Writes an IDX file of unsigned bytes, gzipped where the name ends in .gz."""
    header = struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)
    contents = header + values.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(contents) if path.suffix == ".gz" else contents)
    return path


def write_mnist(
    folder: Path, train: int = 40, test: int = 25, suffix: str = "", darkest: int = 0
) -> Path:
    """MNIST's four files at tiny size; an image's pixels are `darkest` + 20 times its digit."""
    for name, count in (("train", train), ("t10k", test)):
        labels = np.arange(count) % 10
        images = np.broadcast_to(darkest + 20 * labels[:, None, None], (count, 28, 28))
        write_idx(folder / f"{name}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte{suffix}", labels)
    return folder


def write_fashion(folder: Path, train: int = 40, test: int = 25, suffix: str = "") -> Path:
    """Fashion-MNIST's four files; every pixel of an image is 5 + 20 times its label."""
    return write_mnist(folder, train, test, suffix, darkest=5)


def cifar_records(labels: np.ndarray, red: np.ndarray) -> bytes:
    """Records of CIFAR: labels [N, 1 or 2], and images of one colour (their red [N], 10, 200)."""
    planes = np.empty((len(labels), 3, 32 * 32), np.uint8)
    planes[:] = np.stack([red, np.full(len(red), 10), np.full(len(red), 200)], axis=1)[..., None]
    return np.hstack([labels.astype(np.uint8), planes.reshape(len(labels), -1)]).tobytes()


def write_cifar10(folder: Path, each: int = 1) -> Path:
    """CIFAR-10's six files, `each` images of a class in each; their red is 20 times the label."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.arange(10 * each) % 10
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(cifar_records(labels[:, None], 20 * labels))
    return folder


def write_cifar100(folder: Path, each: int = 1) -> Path:
    """CIFAR-100's two files, `each` images of a class in each; their red is twice the label."""
    folder.mkdir(parents=True, exist_ok=True)
    superclass = {name: index for index, names in enumerate(CIFAR100.values()) for name in names}
    fine = np.arange(100 * each) % 100
    coarse = np.array([superclass[CIFAR100_FINE[label]] for label in fine])
    for name in ("train", "test"):
        records = cifar_records(np.stack([coarse, fine], axis=1), 2 * fine)
        (folder / f"{name}.bin").write_bytes(records)
    return folder


def drawing(value: int, size: tuple[int, int] = (105, 105)) -> bytes:
    """A PNG file of one grey."""
    buffer = io.BytesIO()
    Image.new("L", size, value).save(buffer, "PNG")
    return buffer.getvalue()


def write_omniglot(
    folder: Path, alphabets: dict[str, int] | None = None, drawers: int = 20
) -> Path:
    """Omniglot's two zip files, between which the alphabets (and their numbers of characters) go.

    Every pixel of a drawing is 10 times its label: characters count in the order of alphabets.
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


def photograph(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (90, 60)) -> Path:
    """An image file of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def write_kaggle(folder: Path, each: int = 10) -> Path:
    """Kaggle's layout: photographs whose red is 80 times their breed's place."""
    rows = ["id,breed"]
    for index, breed in enumerate(BREEDS):
        for number in range(each):
            photograph(folder / "train" / f"{breed}{number}.jpg", (80 * index, 10, 200))
            rows.append(f"{breed}{number},{breed}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder
