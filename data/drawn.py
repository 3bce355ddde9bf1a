"""Drawn data, so that the program runs where there are no files: digits, and cartoon dogs.

Every picture is drawn with Pillow from one fixed seed: the same ones in every run. They stand in
for MNIST and for photographs, and are neither.
"""

from collections.abc import Callable

import numpy as np

from data.dataset import Dataset, Split
from data.drawn_digits import draw_digit
from data.drawn_dogs import BREEDS, draw_dog

SEED = 28

# Draws one picture [IMAGE_SIZE, IMAGE_SIZE, C] uint8 of a class.
Draw = Callable[[int, np.random.Generator], np.ndarray]


def digits() -> Dataset:
    """6,000 + 1,000 digits, grey, as if written by hand."""
    return draw_dataset(draw_digit, tuple("0123456789"), 6_000, 1_000, "drawn digits, not MNIST")


def dogs() -> Dataset:
    """900 + 300 cartoon dogs of ten breeds, in colour."""
    names = tuple(breed.name for breed in BREEDS)
    return draw_dataset(draw_dog, names, 900, 300, "drawn dogs, not photographs")


def draw_dataset(
    draw: Draw, class_names: tuple[str, ...], train_size: int, test_size: int, origin: str
) -> Dataset:
    """Both splits, each with as many pictures of one class as of another."""
    random = np.random.default_rng(SEED)
    splits = []
    for size in (train_size, test_size):
        labels = np.arange(size, dtype=np.int32) % len(class_names)
        splits.append(Split(np.stack([draw(label, random) for label in labels]), labels))
    return Dataset(*splits, class_names=class_names, origin=origin)
