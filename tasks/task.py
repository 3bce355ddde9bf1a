"""A task: a dataset, a transform of its images, and a mapping of its labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from command import one_line

if TYPE_CHECKING:  # the list of tasks must answer without the seconds that TensorFlow takes
    import numpy as np
    import tensorflow as tf


@dataclass(frozen=True)
class Seeds:
    """The seeds that a transform may draw from, for TensorFlow's stateless generators."""

    run: tf.Tensor  # [2] int64, constant throughout the run
    batch: tf.Tensor  # [2] int64, different for every batch, and fixed for those of the test set


# Maps a batch of images [B, H, W, C] float32 in [0, 1] to the same shape, dtype and range.
Transform = Callable[["tf.Tensor", Seeds], "tf.Tensor"]


def identity(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Returns the images as they are."""
    return images


@dataclass(frozen=True)
class Task:
    """A dataset, a transform of its images, and a mapping of its labels."""

    name: str
    dataset: str  # a key of data.catalog.CATALOG
    description: str
    transform: Transform = identity
    classes: int = 10
    # The task's label for each of the dataset's labels, -1 for images that it leaves out.
    labels: tuple[int, ...] | None = None  # None: the dataset's own
    class_names: tuple[str, ...] | None = None  # None: the dataset's own

    @property
    def left_out(self) -> frozenset[int]:
        """The dataset's labels whose images the task leaves out."""
        return frozenset(i for i, label in enumerate(self.labels or ()) if label < 0)

    @property
    def images(self) -> Hashable:
        """A key that is equal for tasks that see the same images."""
        return self.dataset, self.transform, self.left_out

    def names_of_classes(self, dataset: Sequence[str]) -> list[str]:
        """Returns the names of the task's classes, given those of its dataset.

        Where there are fewer breeds than the task may have, some outputs stand for none.
        """
        names = list(self.class_names or dataset)
        return names + [f"class {i}" for i in range(len(names), self.classes)]

    def choose(self, labels: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """Selects the task's examples of a dataset, and maps their labels.

        Args:
            labels: the dataset's labels, [N] int32.

        Returns:
            The examples' places [M] int32, in order (None: all), and their labels [M] int32.
        """
        import numpy as np

        if self.labels is None:
            return None, labels
        mapped = np.array(self.labels, dtype=np.int32)[labels]
        if not self.left_out:
            return None, mapped
        chosen = np.flatnonzero(mapped >= 0).astype(np.int32)
        return chosen, mapped[chosen]


def task_labels(names: Sequence[str]) -> list[str]:
    """Returns a printable label for each task: its name, with its index if others have the same."""
    shown = [one_line(name) for name in names]
    counts = Counter(shown)
    return [f"{name} ({i})" if counts[name] > 1 else name for i, name in enumerate(shown)]
