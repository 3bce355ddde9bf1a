"""MNIST from its four IDX files (LeCun, Cortes, Burges: The MNIST database, 1998)."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from data.dataset import IMAGE_SIZE, Dataset, Split
from data.download import cache_folder, download
from errors import RequestError

URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"

# The md5 of each file as the host above has it, gzipped.
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
MD5 = {
    TRAIN_IMAGES: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    TRAIN_LABELS: "d53e105ee54ea40749a09fcbcd1e9432",
    TEST_IMAGES: "9fb629c4189551a2d022fa330f9573f3",
    TEST_LABELS: "ec29112dd5afa0611ce80d1b7f02629c",
}
DIGITS = tuple("0123456789")
GZIP_MAGIC = b"\x1f\x8b"
# An IDX file of unsigned bytes begins with this number plus its number of dimensions.
IDX_UNSIGNED_BYTES = 0x0800
# Far above any such file (MNIST's largest has 47 MB): a header that asks for more is damaged.
MOST_BYTES = 1 << 30


def load(data_dir: Path | None, quiet: bool = False) -> Dataset:
    """MNIST from `data_dir/mnist` or `data_dir`; with None from the cache, downloaded if need be.

    Raises:
        RequestError: files are missing or damaged, or the download failed.
    """
    if data_dir is None:
        folder = cache_folder() / "mnist"
        download_missing(folder, quiet)
    else:
        folder = data_dir / "mnist" if (data_dir / "mnist").is_dir() else data_dir
    paths = {name: find_file(folder, name) for name in MD5}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        raise RequestError(
            f"MNIST not found: looked in {folder} for {missing[0]} or {missing[0]}.gz; name the "
            "folder that holds its four IDX files with --data-dir, leave --data-dir out to "
            "download them, or use --fake-data"
        )
    return Dataset(
        train=read_split(paths[TRAIN_IMAGES], paths[TRAIN_LABELS]),
        test=read_split(paths[TEST_IMAGES], paths[TEST_LABELS]),
        class_names=DIGITS,
        origin=f"MNIST from {folder}",
    )


def download_missing(folder: Path, quiet: bool) -> None:
    """Fetches the IDX files that `folder` lacks."""
    for name, md5 in MD5.items():
        if find_file(folder, name) is None:
            try:
                download(f"{URL}{name}.gz", md5, folder / f"{name}.gz", quiet)
            except RequestError as error:
                raise RequestError(
                    f"MNIST not found: looked for {name}.gz in {folder}, and {error}; name a "
                    "folder that has it with --data-dir, connect to a network, or use --fake-data"
                ) from error


def find_file(folder: Path, name: str) -> Path | None:
    """The IDX file of that name, gzipped or not; None where there is neither."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    return None


def read_split(images_path: Path, labels_path: Path) -> Split:
    """A split from its two IDX files.

    Raises:
        RequestError: a file is damaged, or the two do not belong together.
    """
    images = read_idx(images_path, dimensions=3)
    labels = read_idx(labels_path, dimensions=1)
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise RequestError(
            f"{images_path}: its images are {images.shape[1]}×{images.shape[2]} pixels, expected "
            f"{IMAGE_SIZE}×{IMAGE_SIZE}; is it a file of MNIST?"
        )
    if len(images) != len(labels):
        raise RequestError(
            f"{labels_path}: {len(labels)} labels for the {len(images)} images of "
            f"{images_path.name}; the two files do not belong together, fetch them again"
        )
    if labels.max() >= len(DIGITS):
        raise RequestError(f"{labels_path}: label {labels.max()}, expected 0 to 9; fetch it again")
    return Split(images=images[..., np.newaxis], labels=labels.astype(np.int32))


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The array [N, …] uint8 of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        RequestError: it cannot be read, or is not such a file whole.
    """
    try:
        with path.open("rb") as file:
            gzipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        with gzip.open(path) if gzipped else path.open("rb") as file:
            shape = check_idx_header(path, file.read(4 * (1 + dimensions)), dimensions)
            size = math.prod(shape)
            values = file.read(size + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise RequestError(f"{path}: cut short or damaged ({error}); fetch it again") from error
    if len(values) != size:
        found = "more" if len(values) > size else f"{len(values):,}"
        raise RequestError(
            f"{path}: cut short or damaged: its header promises {size:,} bytes of values, found "
            f"{found}; fetch it again"
        )
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def check_idx_header(path: Path, contents: bytes, dimensions: int) -> tuple[int, ...]:
    """The shape that an IDX header states, once it is seen to be one of a sound file."""
    if len(contents) != 4 * (1 + dimensions):
        raise RequestError(f"{path}: cut short inside its header; fetch it again")
    header = np.frombuffer(contents, dtype=">u4")
    expected = IDX_UNSIGNED_BYTES + dimensions
    if header[0] != expected:
        raise RequestError(
            f"{path}: begins with the magic number {header[0]:#010x}, expected {expected:#010x}; "
            f"it is no IDX file of {dimensions} dimension{'s' * (dimensions > 1)}"
        )
    shape = tuple(int(size) for size in header[1:])
    if not 0 < math.prod(shape) <= MOST_BYTES:
        raise RequestError(f"{path}: its header states the size {shape}; fetch it again")
    return shape
