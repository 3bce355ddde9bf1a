"""Photographs on disk -> small uint8 images, decoded in parallel."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from data.progress import with_progress
from data.threads import picture_threads
from errors import RequestError

SUFFIXES = {".jpg", ".jpeg", ".png"}
FORMATS = ("JPEG", "PNG")
# Far above any photograph of a dog (most have 50 kB).
MOST_BYTES = 1 << 27


def decode_all(paths: Sequence[Path], size: int, quiet: bool) -> np.ndarray:
    """The photographs as [N, size, size, 3] uint8, with a progress bar on a terminal.

    Raises:
        RequestError: one of them is no photograph that can be decoded.
    """
    with picture_threads() as pool:
        images = pool.map(partial(decode, size=size), paths)
        return np.stack(list(with_progress(images, len(paths), "Decoding", quiet)))


def decode(path: Path, size: int) -> np.ndarray:
    """One photograph, squeezed to [size, size, 3] uint8.

    Raises:
        RequestError: it is no image, is cut short, or unpacks to more than memory should hold.
    """
    try:
        size_on_disk = path.stat().st_size
        if size_on_disk > MOST_BYTES:
            raise ValueError(f"has {size_on_disk:,} bytes, expected {MOST_BYTES:,} at most")
        with Image.open(path, formats=FORMATS) as image:
            # The JPEG decoder scales down by 2, 4 or 8 almost for nothing; twice the size that is
            # wanted leaves the finer filter below enough to work with.
            image.draft("RGB", (2 * size, 2 * size))
            small = image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RequestError(f"{path}: too large to decode safely ({error}); remove it") from error
    except Image.UnidentifiedImageError as error:
        raise RequestError(f"{path}: no JPEG or PNG image; replace or remove it") from error
    except Exception as error:  # on damaged files Pillow raises nearly anything
        raise RequestError(f"{path}: cannot be decoded ({error}); replace or remove it") from error
    return np.asarray(small)
