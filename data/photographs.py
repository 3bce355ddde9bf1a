"""Photographs on disk, decoded to small images."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.files import check_size, read_errors
from data.pictures import open_image

SUFFIXES = {".jpg", ".jpeg", ".png"}
# Far above any photograph of a dog (most have 50 kB).
MOST_BYTES = 1 << 27


def decode(path: Path, size: int) -> np.ndarray:
    """Decodes one photograph and squeezes it to [size, size, 3] uint8.

    Raises:
        RequestError: it is no image, is truncated, or is too large to decode safely.
    """
    with read_errors(path, "replace or remove it"):
        check_size(path.stat().st_size, MOST_BYTES)
        with open_image(path, ("JPEG", "PNG")) as image:
            # The JPEG decoder scales down by 2, 4 or 8 at almost no cost. Twice the final size
            # leaves enough detail for the better filter below.
            image.draft("RGB", (2 * size, 2 * size))
            return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))
