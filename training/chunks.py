"""The amount of work in one call of a compiled loop."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds that a call should take: signals and the display wait for its end.
TARGET = 0.5


class ChunkSize:
    """A number of steps or batches that adapts, so that a call takes about half a second."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.amount, self.most = 1, most

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measures a call on `amount` steps or batches, and sets the next amount."""
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        if seconds > TARGET:
            self.amount = max(self.amount // 2, 1)
        elif seconds < TARGET / 2:
            self.amount = min(2 * self.amount, self.most)
