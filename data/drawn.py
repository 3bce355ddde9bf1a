"""Drawn digits and cartoon dogs, so that the program runs without any files.

Pillow draws every picture from one fixed seed, so that all runs have the same ones. They take the
place of MNIST and of photographs, but results on them say nothing of either.
"""

from collections.abc import Callable

import numpy as np

from data.class_names import DIGITS
from data.dataset import Dataset, PendingDataset, Split
from data.drawn_digits import SIZE, draw_digit
from data.drawn_dogs import BREEDS, draw_dog
from data.pictures import stack_pictures

SEED = 28
CLASSES = 10
# Training and test pictures.
DIGIT_COUNTS = (6_000, 1_000)
DOG_COUNTS = (900, 300)

# Draws one picture [28, 28, C] uint8 of a class.
Draw = Callable[[int, np.random.Generator], np.ndarray]


def find_digits(quiet: bool = False) -> PendingDataset:
    """Returns gray digits [7_000, 28, 28, 1] that look handwritten, to be drawn."""

    def read() -> Dataset:
        splits = draw_splits(draw_digit, DIGIT_COUNTS, quiet)
        return Dataset(*splits, class_names=DIGITS, origin="drawn digits, not MNIST")

    return PendingDataset("drawn digits", sum(DIGIT_COUNTS), (SIZE, SIZE, 1), read)


def find_dogs(quiet: bool = False) -> PendingDataset:
    """Returns cartoon dogs [1_200, 28, 28, 3] of ten breeds, to be drawn."""

    def read() -> Dataset:
        names = tuple(breed.name for breed in BREEDS)
        splits = draw_splits(draw_dog, DOG_COUNTS, quiet)
        return Dataset(*splits, class_names=names, origin="drawn dogs, not photographs")

    return PendingDataset("drawn dogs", sum(DOG_COUNTS), (SIZE, SIZE, 3), read)


def draw_splits(draw: Draw, counts: tuple[int, int], quiet: bool) -> list[Split]:
    """Draws a training and a test split, each with equally many pictures of every class."""
    random = np.random.default_rng(SEED)
    labels = [np.arange(count, dtype=np.int32) % CLASSES for count in counts]
    pictures = (draw(label, random) for label in np.concatenate(labels))
    images = stack_pictures(pictures, sum(counts), "Drawing", quiet)
    return [Split(*split) for split in zip(np.split(images, [counts[0]]), labels, strict=True)]
