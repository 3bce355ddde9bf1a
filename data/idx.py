"""IDX files, the format of MNIST and of what is laid out like it: a header and unsigned bytes."""

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from errors import RequestError

GZIP_MAGIC = b"\x1f\x8b"
# An IDX file of unsigned bytes begins with this number plus its number of dimensions.
IDX_UNSIGNED_BYTES = 0x0800
# Far above any such file (MNIST's largest has 47 MB): a header that asks for more is damaged.
MOST_BYTES = 1 << 30
# A byte of a gzipped file cannot stand for more than so many.
MOST_UNPACKED = 1032


def read_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """The shape [N, …] of an IDX file of unsigned bytes, gzipped or not, from its header alone.

    Raises:
        RequestError: it cannot be read, or is no such file.
    """
    with opened(path) as file:
        shape = check_header(path, file.read(4 * (1 + dimensions)), dimensions)
        size, most = math.prod(shape), MOST_UNPACKED * path.stat().st_size
        if size > most:
            raise RequestError(
                f"{path}: cut short or damaged: its header promises {size:,} bytes of values, and "
                f"the file can hold {most:,} at most; fetch it again"
            )
    return shape


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The array [N, …] uint8 of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        RequestError: it cannot be read, or is not such a file whole.
    """
    with opened(path) as file:
        shape = check_header(path, file.read(4 * (1 + dimensions)), dimensions)
        size = math.prod(shape)
        values = file.read(size + 1)
    if len(values) != size:
        found = "more" if len(values) > size else f"{len(values):,}"
        raise RequestError(
            f"{path}: cut short or damaged: its header promises {size:,} bytes of values, found "
            f"{found}; fetch it again"
        )
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, unpacked if it is gzipped; what fails while it is read is told in one line."""
    try:
        with path.open("rb") as file:
            gzipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        with gzip.open(path) if gzipped else path.open("rb") as file:
            yield file
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise RequestError(f"{path}: cut short or damaged ({error}); fetch it again") from error


def check_header(path: Path, contents: bytes, dimensions: int) -> tuple[int, ...]:
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
        raise RequestError(
            f"{path}: its header states the size {shape}, expected 1 to {MOST_BYTES:,} values; "
            "fetch it again"
        )
    return shape
