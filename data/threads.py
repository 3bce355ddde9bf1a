"""Pictures made in parallel."""

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from PIL import Image


@contextmanager
def picture_threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as there are processors; what still waits is dropped if an error ends them.

    Inside, Pillow refuses every image that would fill the memory, as an error, and warns of
    nothing.
    """
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # what decodes is taken as it is
        # Pillow only warns of an image that would fill the memory before it refuses a larger one.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
