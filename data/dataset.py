"""What a dataset is before it is in memory, and once it is."""

from collections.abc import Callable, Iterable, Sized
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


@dataclass(frozen=True)
class Found:
    """A dataset whose size is known, and that is not in memory yet."""

    name: str  # as messages have it
    images: int  # of both splits
    shape: tuple[int, int, int]  # [H, W, C] of the images that `read` gives
    read: Callable[[], Dataset]  # raises RequestError where the data is not what it should be


def labels_of(classes: Iterable[Sized]) -> np.ndarray:
    """The label of each example, class after class, [N] int32."""
    counts = [len(examples) for examples in classes]
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)
