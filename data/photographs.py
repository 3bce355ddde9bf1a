"""Photographs on disk -> small uint8 images, decoded in parallel."""

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from data.dataset import IMAGE_SIZE
from data.progress import with_progress
from errors import RequestError

SUFFIXES = {".jpg", ".jpeg", ".png"}
FORMATS = ("JPEG", "PNG")


def decode_all(paths: Sequence[Path], quiet: bool) -> np.ndarray:
    """The photographs as [N, IMAGE_SIZE, IMAGE_SIZE, 3] uint8, with a progress bar on a terminal.

    Raises:
        RequestError: one of them is no photograph that can be decoded.
    """
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        # Pillow only warns of an image that would fill the memory before it refuses a larger one.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        images = pool.map(decode, paths)
        try:
            return np.stack(list(with_progress(images, len(paths), "Decoding", quiet)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def decode(path: Path) -> np.ndarray:
    """One photograph, squeezed to [IMAGE_SIZE, IMAGE_SIZE, 3] uint8.

    Raises:
        RequestError: it is no image, is cut short, or unpacks to more than memory should hold.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            # The JPEG decoder scales down by 2, 4 or 8 almost for nothing; twice the size that is
            # wanted leaves the finer filter below enough to work with.
            image.draft("RGB", (2 * IMAGE_SIZE, 2 * IMAGE_SIZE))
            small = image.convert("RGB").resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RequestError(f"{path}: too large to decode safely ({error}); remove it") from error
    except Image.UnidentifiedImageError as error:
        raise RequestError(f"{path}: no JPEG or PNG image; replace or remove it") from error
    except Exception as error:  # on damaged files Pillow raises nearly anything
        raise RequestError(f"{path}: cannot be decoded ({error}); replace or remove it") from error
    return np.asarray(small)
