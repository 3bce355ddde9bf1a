"""Images in memory, resized."""

from functools import partial
from itertools import chain

import numpy as np
from PIL import Image

from data.pictures import picture_threads, stack_pictures

# Images per call of a thread: enough that the time goes to Pillow and not to Python.
BATCH = 1_000


def to_size(images: np.ndarray, size: int, quiet: bool) -> np.ndarray:
    """Resizes images [N, H, W, C] uint8, C = 1 or 3, to [N, size, size, C] if they differ."""
    if images.shape[1:3] == (size, size):
        return images
    batches = np.split(images, range(BATCH, len(images), BATCH))
    with picture_threads() as pool:
        resized = chain.from_iterable(pool.map(partial(resize, size=size), batches))
        return stack_pictures(resized, len(images), "Resizing", quiet)


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Squeezes images [N, H, W, C] to [N, size, size, C], each as Pillow would resize it alone.

    Pillow resizes all rows of an image and then all columns. Images stacked on top of each other
    have their rows resized in one call, and then, transposed, their columns: a hundred times fewer
    calls.
    """
    transposed = resize_rows(images, size).swapaxes(1, 2)
    return np.ascontiguousarray(resize_rows(transposed, size).swapaxes(1, 2))


def resize_rows(images: np.ndarray, width: int) -> np.ndarray:
    """Resizes the rows of images [N, H, W, C] to [N, H, width, C]."""
    count, height, old_width, channels = images.shape
    # Pillow takes gray pixels without a last axis only.
    pixel = () if channels == 1 else (channels,)
    tower = Image.fromarray(images.reshape(count * height, old_width, *pixel))
    tower = tower.resize((width, count * height), Image.Resampling.LANCZOS)
    return np.asarray(tower).reshape(count, height, width, channels)
