"""Images decoded or resized in parallel, with a progress bar."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageOps
from rich.progress import track

from command import is_terminal
from data.dataset import Split

# Images that a thread resizes in one call: enough that the time goes to Pillow and not to Python.
BATCH = 1_000

Item = TypeVar("Item")
Classes = Iterable[Sequence[Item]]  # the examples of each class, in the order of the labels


def decode_splits(
    decode: Callable[[Item], np.ndarray], train: Classes, test: Classes, quiet: bool
) -> list[Split]:
    """Decodes a training and a test split in parallel, with one progress bar for both.

    `decode` returns the image [H, W, C] uint8 of one example.
    """
    labels, items = [], []
    for split in (train, test):
        counts = [len(examples) for examples in split]
        labels.append(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
        items += [item for examples in split for item in examples]
    with picture_threads() as pool:
        return make_splits(pool.map(decode, items), labels, "Decoding", quiet)


def make_splits(
    pictures: Iterable[np.ndarray], labels: Sequence[np.ndarray], doing: str, quiet: bool
) -> list[Split]:
    """Gathers pictures [H, W, C] into splits, each with its labels [N] int32."""
    images = stack(pictures, sum(map(len, labels)), doing, quiet)
    halves = np.split(images, [len(labels[0])])
    return [Split(*split) for split in zip(halves, labels, strict=True)]


def stack(pictures: Iterable[np.ndarray], total: int, doing: str, quiet: bool) -> np.ndarray:
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


def open_image(file: BinaryIO, formats: Sequence[str]) -> Image.Image:
    """Opens an image file without decoding it.

    Raises:
        ValueError: it has none of the formats.
        Exception: it is damaged.
    """
    try:
        return Image.open(file, formats=formats)
    except Image.UnidentifiedImageError as error:
        raise ValueError(f"it is no {' or '.join(formats)} image") from error


def decoded(image: Image.Image, mode: str) -> Image.Image:
    """Decodes an opened image as it is meant to be seen: upright, and on white where transparent.

    `mode` is L (gray) or RGB, of 8 bits a channel.

    Raises:
        Exception: it is damaged.
    """
    scale_transparency(image)
    image.load()
    with suppress(Exception):  # damaged metadata, which says nothing of how it was held
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):  # gray of 16 bits, which Pillow would cut off at 255
        image = to_8_bits(image)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(mode)


def scale_transparency(image: Image.Image) -> None:
    """Scales the transparent color of an opened PNG file as Pillow will scale the pixels.

    Pillow leaves it as the file has it: in 2, 4 or 16 bits a channel.
    """
    transparent = image.info.get("transparency")
    depth = image.tile[0][3] if image.tile else None
    if transparent is None:
        return
    if depth in ("L;2", "L;4"):
        largest = 3 if depth == "L;2" else 15
        image.info["transparency"] = (transparent & largest) * (255 // largest)
    elif depth == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in transparent)


def to_8_bits(image: Image.Image) -> Image.Image:
    """Scales gray of 16 bits to 8, as Pillow does with colors; the transparent gray becomes white.

    The transparent gray, if there is one, is that of the PNG file's tRNS chunk.
    """
    values = np.asarray(image)
    values = np.where(values == image.info.get("transparency"), (1 << 16) - 1, values)
    return Image.fromarray((values >> 8).astype(np.uint8))


def to_size(images: np.ndarray, size: int, quiet: bool) -> np.ndarray:
    """Resizes images [N, H, W, C] uint8, C = 1 or 3, to [N, size, size, C] if they differ."""
    if images.shape[1:3] == (size, size):
        return images
    batches = np.split(images, range(BATCH, len(images), BATCH))
    with picture_threads() as pool:
        resized = chain.from_iterable(pool.map(partial(resize, size=size), batches))
        return stack(resized, len(images), "Resizing", quiet)


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Squeezes images [N, H, W, C] to [N, size, size, C], each as Pillow would resize it alone.

    Pillow resizes all rows of an image and then all columns. Images stacked on top of each other
    have their rows resized in one call, and then, transposed, their columns: a hundred times fewer
    calls.
    """
    channels = images.shape[3]
    pixel = () if channels == 1 else (channels,)  # Pillow takes gray pixels without a last axis
    for _ in ("rows", "columns"):
        count, height, width, _ = images.shape
        tower = Image.fromarray(images.reshape(count * height, width, *pixel))
        tower = tower.resize((size, count * height), Image.Resampling.LANCZOS)
        images = np.asarray(tower).reshape(count, height, size, channels).swapaxes(1, 2)
    return np.ascontiguousarray(images)
