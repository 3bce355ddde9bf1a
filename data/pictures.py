"""Images decoded in parallel, with a progress bar."""

import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from rich.progress import track

from command import is_terminal
from data.dataset import Split

Item = TypeVar("Item")
Classes = Sequence[Sequence[Item]]  # the examples of each class, in the order of the labels


def decode_splits(
    decode: Callable[[Item], np.ndarray], train: Classes, test: Classes, quiet: bool
) -> list[Split]:
    """Decodes a training and a test split in parallel, with one progress bar for both.

    `decode` returns the image [H, W, C] uint8 of one example.
    """
    items = [item for split in (train, test) for examples in split for item in examples]
    with picture_threads() as pool:
        images = stack_pictures(pool.map(decode, items), len(items), "Decoding", quiet)
    labels = [
        np.repeat(np.arange(len(split), dtype=np.int32), [len(examples) for examples in split])
        for split in (train, test)
    ]
    halves = np.split(images, [len(labels[0])])
    return [Split(*split) for split in zip(halves, labels, strict=True)]


def stack_pictures(
    pictures: Iterable[np.ndarray], total: int, doing: str, quiet: bool
) -> np.ndarray:
    """Stacks `total` pictures [H, W, C] into one array, with a progress bar on a terminal.

    If standard output is not a terminal, prints one line instead.
    """
    silent = quiet or not is_terminal()
    if not quiet and silent:
        print(f"{doing} {total:,} pictures", flush=True)
    return np.stack(list(track(pictures, doing, total, transient=True, disable=silent)))


@contextmanager
def picture_threads() -> Iterator[ThreadPoolExecutor]:
    """Provides a thread per processor; an error inside cancels the work that has not begun.

    Inside, Pillow raises an error for every image that would fill the memory, and warns of nothing.
    """
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # an image that can be decoded is used as it is
        # Pillow refuses an image only above twice its limit, and warns below that.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def open_image(file: Path | io.BytesIO, formats: Sequence[str]) -> Image.Image:
    """Opens an image file without decoding it.

    Raises:
        ValueError: it has none of the formats.
        Exception: it is damaged.
    """
    try:
        return Image.open(file, formats=formats)
    except Image.UnidentifiedImageError as error:
        raise ValueError(f"it is no {' or '.join(formats)} image") from error
