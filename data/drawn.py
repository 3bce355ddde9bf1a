"""Drawn data, so that the program runs where there are no files: digits, and cartoon dogs.

Every picture is drawn with Pillow from one fixed seed: the same ones in every run. They stand in
for MNIST and for photographs, and are neither.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from data.class_names import DIGITS
from data.dataset import Dataset, Found, Split
from data.drawn_digits import SIZE, draw_digit
from data.drawn_dogs import BREEDS, draw_dog
from data.progress import with_progress

SEED = 28
CLASSES = 10
# Pictures to train and to test on.
DIGITS_DRAWN = (6_000, 1_000)
DOGS_DRAWN = (900, 300)

# Draws one picture [28, 28, C] uint8 of a class.
Draw = Callable[[int, np.random.Generator], np.ndarray]


def find_digits(quiet: bool = False) -> Found:
    """What `digits` draws."""
    return Found("drawn digits", sum(DIGITS_DRAWN), (SIZE, SIZE, 1), partial(digits, quiet))


def find_dogs(quiet: bool = False) -> Found:
    """What `dogs` draws."""
    return Found("drawn dogs", sum(DOGS_DRAWN), (SIZE, SIZE, 3), partial(dogs, quiet))


def digits(quiet: bool = False) -> Dataset:
    """6,000 + 1,000 digits, grey, as if written by hand."""
    splits = draw_splits(draw_digit, DIGITS_DRAWN, quiet)
    return Dataset(*splits, class_names=DIGITS, origin="drawn digits, not MNIST")


def dogs(quiet: bool = False) -> Dataset:
    """900 + 300 cartoon dogs of ten breeds, in colour."""
    splits = draw_splits(draw_dog, DOGS_DRAWN, quiet)
    names = tuple(breed.name for breed in BREEDS)
    return Dataset(*splits, class_names=names, origin="drawn dogs, not photographs")


def draw_splits(draw: Draw, sizes: tuple[int, int], quiet: bool) -> list[Split]:
    """A training and a test split, each with as many pictures of one class as of another."""
    random = np.random.default_rng(SEED)
    labels = [np.arange(size, dtype=np.int32) % CLASSES for size in sizes]
    pictures = (draw(label, random) for label in np.concatenate(labels))
    images = np.stack(list(with_progress(pictures, sum(sizes), "Drawing", quiet)))
    return [Split(*split) for split in zip(np.split(images, [sizes[0]]), labels, strict=True)]
