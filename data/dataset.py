"""What a dataset is once it is in memory."""

from collections.abc import Iterable, Sized
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Images and their labels."""

    images: np.ndarray  # [N, S, S, C] uint8, S = --image-size, C = 1 (grey) or 3 (red, green, blue)
    labels: np.ndarray  # [N] int32, an index into the dataset's class_names


@dataclass(frozen=True)
class Dataset:
    """A training and a test set, and where they come from."""

    train: Split
    test: Split
    class_names: tuple[str, ...]
    origin: str


def labels_of(classes: Iterable[Sized]) -> np.ndarray:
    """The label of each example, class after class, [N] int32."""
    counts = [len(examples) for examples in classes]
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)
