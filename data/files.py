"""Checks and errors that all readers of data files share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from errors import RequestError


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
    return " ".join(str(error).split()) or type(error).__name__


def check_size(size: int, most: int) -> None:
    """Raises ValueError if a file of `size` bytes is larger than `most`, before it is read."""
    if size > most:
        raise ValueError(f"it has {size:,} bytes, expected at most {most:,}")


def check_labels(labels: np.ndarray, class_names: Sequence[str]) -> None:
    """Raises ValueError if one of the labels [N] unsigned is not an index of `class_names`."""
    place, last = labels.argmax(), len(class_names) - 1
    if labels[place] > last:
        raise ValueError(f"label {place + 1:,} is {labels[place]}, expected 0 to {last}")
