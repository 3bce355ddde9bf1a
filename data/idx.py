"""Reads IDX files, the format of MNIST: a header and an array of unsigned bytes."""

import gzip
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.files import read_errors
from files import open_regular

GZIP_MAGIC = b"\x1f\x8b"
# An IDX file of unsigned bytes begins with this number plus its number of dimensions.
IDX_UNSIGNED_BYTES = 0x0800
# Far above any such file (MNIST's largest has 47 MB): a header that asks for more is damaged.
MOST_BYTES = 1 << 30
# The highest compression ratio of gzip.
MOST_UNPACKED = 1032


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Reads the array [N, …] uint8 of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        RequestError: it cannot be read, or is not a whole file of this kind.
    """
    with open_idx(path, dimensions) as (file, shape):
        size = math.prod(shape)
        values = file.read(size + 1)
        if len(values) != size:
            found = "more" if len(values) > size else f"{len(values):,}"
            raise ValueError(f"its header promises {size:,} bytes of values, found {found}")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


@contextmanager
def open_idx(path: Path, dimensions: int) -> Iterator[tuple[BinaryIO, tuple[int, ...]]]:
    """Opens an IDX file, unpacked if gzipped, and reads the shape [N, …] in its header.

    Raises:
        RequestError: it cannot be read, its header is wrong, or an error is raised inside.
    """
    with read_errors(path), open_regular(path) as stored:
        gzipped = stored.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        stored.seek(0)
        with gzip.open(stored) if gzipped else nullcontext(stored) as file:
            contents = file.read(4 * (1 + dimensions))
            most = min(MOST_BYTES, MOST_UNPACKED * os.fstat(stored.fileno()).st_size)
            yield file, parse_header(contents, dimensions, most)


def parse_header(contents: bytes, dimensions: int, most: int) -> tuple[int, ...]:
    """Returns the shape in an IDX header; raises ValueError if it is wrong, or above `most`."""
    if len(contents) != 4 * (1 + dimensions):
        raise ValueError("it is cut short inside its header")
    magic, *shape = np.frombuffer(contents, dtype=">u4").tolist()
    expected = IDX_UNSIGNED_BYTES + dimensions
    if magic != expected:
        raise ValueError(
            f"it begins with the magic number {magic:#010x}, expected {expected:#010x}, that of an "
            f"IDX file of {dimensions} dimension{'s' * (dimensions > 1)}"
        )
    if not 0 < math.prod(shape) <= most:
        raise ValueError(f"its header states the shape {shape}, expected 1 to {most:,} values")
    return tuple(shape)
