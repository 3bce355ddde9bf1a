"""Small real files, and the real command."""

import gzip
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# The tests are the same on a machine that has a GPU.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

ROOT = Path(__file__).resolve().parent.parent
BREEDS = ("beagle", "collie", "dingo")


def write_idx(path: Path, values: np.ndarray) -> Path:
    """Writes an IDX file of unsigned bytes, gzipped where the name ends in .gz."""
    header = struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)
    contents = header + values.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(contents) if path.suffix == ".gz" else contents)
    return path


def write_mnist(folder: Path, train: int = 40, test: int = 25, suffix: str = "") -> Path:
    """MNIST's four files at tiny size; every pixel of an image is 20 times its digit."""
    for name, count in (("train", train), ("t10k", test)):
        labels = np.arange(count) % 10
        images = np.broadcast_to(20 * labels[:, None, None], (count, 28, 28))
        write_idx(folder / f"{name}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte{suffix}", labels)
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


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A --data-dir with a tiny MNIST and tiny dogs in it."""
    write_mnist(tmp_path / "data" / "mnist")
    write_kaggle(tmp_path / "data" / "dogs")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def no_cache_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the tests out of the user's own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run_command(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Runs `python task.py` as a user does; what is written to stdout and stderr is text."""
    return subprocess.run(
        [sys.executable, "task.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def one_line(result: subprocess.CompletedProcess) -> str:
    """The single line of an error; fails where there is none, or more."""
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr
