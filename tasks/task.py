"""What a task is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the list of tasks must answer without the seconds that TensorFlow takes
    import numpy as np
    import tensorflow as tf


@dataclass(frozen=True)
class Seeds:
    """What a task's change may draw from; each is a pair for TensorFlow's stateless generators."""

    run: tf.Tensor  # [2] int64, the same throughout the run
    batch: tf.Tensor  # [2] int64, another one for every batch; a test's batches have theirs


# Changes a batch: images [B, H, W, C] float32 in [0, 1] -> the same shape, dtype and range.
Change = Callable[["tf.Tensor", Seeds], "tf.Tensor"]


def unchanged(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """The images as they are."""
    return images


@dataclass(frozen=True)
class Task:
    """A dataset, a change to its images, and what is made of its labels."""

    name: str
    dataset: str  # a key of data/loading.py's LOADERS
    description: str
    change: Change = unchanged
    classes: int = 10
    # The task's label for each of the dataset's, -1 for those whose images it leaves out.
    labels: tuple[int, ...] | None = None  # None: the dataset's own
    class_names: tuple[str, ...] | None = None  # None: the dataset's own

    @property
    def left_out(self) -> frozenset[int]:
        """The dataset's labels whose images the task leaves out."""
        return frozenset(i for i, label in enumerate(self.labels or ()) if label < 0)

    @property
    def images(self) -> Hashable:
        """Equal for tasks that see the same images."""
        return self.dataset, self.change, self.left_out

    def choose(self, labels: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """Which of a dataset's examples are the task's, and the task's labels for those.

        Args:
            labels: [N] int32, the dataset's own.

        Returns:
            The examples [M] int32, in order (None: all of them), and their labels [M] int32.
        """
        import numpy as np

        if self.labels is None:
            return None, labels
        mapped = np.array(self.labels, dtype=np.int32)[labels]
        if not self.left_out:
            return None, mapped
        chosen = np.flatnonzero(mapped >= 0).astype(np.int32)
        return chosen, mapped[chosen]
