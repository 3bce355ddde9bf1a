"""Images that are in memory already, brought to another size."""

from functools import partial
from itertools import chain

import numpy as np
from PIL import Image

from data.progress import with_progress
from data.threads import picture_threads

# Images that one thread takes at a time: enough that Pillow works and not Python.
BATCH = 1_000


def to_size(images: np.ndarray, size: int, quiet: bool) -> np.ndarray:
    """Images [N, H, W, C] uint8, C = 1 or 3, as [N, size, size, C]; unchanged if they are that."""
    if images.shape[1:3] == (size, size):
        return images
    batches = np.split(images, range(BATCH, len(images), BATCH))
    with picture_threads() as pool:
        resized = chain.from_iterable(pool.map(partial(resize, size=size), batches))
        return np.stack(list(with_progress(resized, len(images), "Resizing", quiet)))


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Images [N, H, W, C] squeezed to [N, size, size, C], each as Pillow would on its own.

    Pillow resizes all rows of an image and then all columns. Images that stand on top of each
    other have their rows resized as one, and then, turned on their side, their columns: a hundred
    times fewer calls.
    """
    turned = resize_rows(images, size).swapaxes(1, 2)
    return np.ascontiguousarray(resize_rows(turned, size).swapaxes(1, 2))


def resize_rows(images: np.ndarray, width: int) -> np.ndarray:
    """Images [N, H, W, C] with rows of another width."""
    count, height, old_width, channels = images.shape
    # Pillow knows grey pixels without a last axis only.
    pixel = () if channels == 1 else (channels,)
    tower = Image.fromarray(images.reshape(count * height, old_width, *pixel))
    tower = tower.resize((width, count * height), Image.Resampling.LANCZOS)
    return np.asarray(tower).reshape(count, height, width, channels)
