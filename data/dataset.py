"""What a dataset is once it is in memory."""

from dataclasses import dataclass

import numpy as np

# Every dataset is brought to this height and width, in pixels, so that tasks can share a network.
IMAGE_SIZE = 28


@dataclass(frozen=True)
class Split:
    """Images and their labels."""

    images: np.ndarray  # [N, IMAGE_SIZE, IMAGE_SIZE, C] uint8, C = 1 (grey) or 3 (red, green, blue)
    labels: np.ndarray  # [N] int32, an index into the dataset's class_names


@dataclass(frozen=True)
class Dataset:
    """A training and a test set, and where they come from."""

    train: Split
    test: Split
    class_names: tuple[str, ...]
    origin: str
