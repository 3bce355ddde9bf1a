"""The types of a dataset: in memory, and before it is read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Images and their labels."""

    images: np.ndarray  # [N, S, S, C] uint8, S = --image-size, C = 1 (gray) or 3 (red, green, blue)
    labels: np.ndarray  # [N] int32, an index into the dataset's class_names


@dataclass(frozen=True)
class Dataset:
    """A training set, a test set, and their origin."""

    train: Split
    test: Split
    class_names: tuple[str, ...]
    origin: str  # the source and its folder, for people


@dataclass(frozen=True)
class PendingDataset:
    """A dataset of known size that is not in memory yet."""

    name: str  # in messages
    count: int  # images in both splits
    shape: tuple[int, int, int]  # [H, W, C] of the images that `read` returns
    read: Callable[[], Dataset]  # raises RequestError if the files are damaged
