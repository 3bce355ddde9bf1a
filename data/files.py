"""Checks and errors that all readers of data files share."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from errors import RequestError
from files import open_regular

# The names of classes become parts of file names, which may have 255 bytes.
MOST_NAME_BYTES = 100


@contextmanager
def read_errors(file: object, action: str = "fetch it again") -> Iterator[None]:
    """Turns any error inside into a RequestError of one line that names the file.

    The error's text becomes the reason, and `action` the advice. A RequestError passes unchanged.
    """
    try:
        yield
    except RequestError:
        raise
    except Exception as error:  # on damaged files gzip, Pillow and zipfile raise nearly anything
        raise RequestError(f"{file}: cannot be used ({text_of(error)}); {action}") from error


def text_of(error: Exception) -> str:
    """Returns an error's text on one line; its type if it has none."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()) or type(error).__name__


@contextmanager
def open_bounded(path: Path, most: int) -> Iterator[BinaryIO]:
    """Opens a regular file for reading.

    Raises:
        ValueError: it has more than `most` bytes.
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        check_size(os.fstat(file.fileno()).st_size, most)
        yield file


def check_size(size: int, most: int) -> None:
    """Raises ValueError if a file of `size` bytes is larger than `most`, before it is read."""
    if size > most:
        raise ValueError(f"it has {size:,} bytes, expected at most {most:,}")


def is_class_name(text: str) -> bool:
    """Tells whether a text is printable, and short enough to name a class."""
    return text.isprintable() and 0 < len(text.encode()) <= MOST_NAME_BYTES


def class_name(text: str, place: object) -> str:
    """Returns a class's name in a file's path, without the spaces around it.

    Raises:
        RequestError: it is not printable, or too long; the message names the `place`.
    """
    name = text.strip()
    if not is_class_name(name):
        raise RequestError(
            f"{str(place)!r} names the class {name!r}, expected printable text of up to "
            f"{MOST_NAME_BYTES} bytes; rename it"
        )
    return name


def hash_of(text: str) -> str:
    """Returns the SHA-256 in hexadecimal of a text with names of files, which need not be UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def check_labels(labels: np.ndarray, class_names: Sequence[str]) -> None:
    """Raises ValueError if one of the labels [N] unsigned is not an index of `class_names`."""
    place, last = labels.argmax(), len(class_names) - 1
    if labels[place] > last:
        raise ValueError(f"label {place + 1:,} is {labels[place]}, expected 0 to {last}")
