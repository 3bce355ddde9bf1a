"""Drawn digits and cartoon dogs, so that the program runs without any files.

Pillow draws every picture from one fixed seed, so that all runs have the same ones. They take the
place of MNIST and of photographs, but results on them say nothing of either.
"""

import numpy as np

from data.catalog import CATALOG
from data.class_names import DIGITS
from data.dataset import Dataset, PendingDataset
from data.drawn_digits import SIZE, draw_digit
from data.drawn_dogs import BREEDS, draw_dog
from data.pictures import make_splits

SEED = 28
BREED_NAMES = tuple(breed.name for breed in BREEDS)
# For each dataset: the drawn pictures' name, what they are not, the function that draws one
# [28, 28, C] uint8 of a class, the classes, and the numbers of training and test pictures.
DRAWN = {
    "mnist": ("drawn digits", "MNIST", draw_digit, DIGITS, (6_000, 1_000)),
    "dogs": ("drawn dogs", "photographs", draw_dog, BREED_NAMES, (900, 300)),
}


def find(dataset: str, quiet: bool = False) -> PendingDataset:
    """Returns the pictures that stand in for a dataset, to be drawn.

    For "mnist" they are gray digits [7_000, 28, 28, 1] that look handwritten; for "dogs" cartoon
    dogs [1_200, 28, 28, 3] of ten breeds. There are equally many of every class.
    """
    name, real, draw, class_names, counts = DRAWN[dataset]

    def read() -> Dataset:
        random = np.random.default_rng(SEED)
        labels = [np.arange(count, dtype=np.int32) % len(class_names) for count in counts]
        pictures = (draw(label, random) for label in np.concatenate(labels))
        splits = make_splits(pictures, labels, "Drawing", quiet)
        return Dataset(*splits, class_names, origin=f"{name}, not {real}")

    return PendingDataset(name, sum(counts), (SIZE, SIZE, CATALOG[dataset].channels), read)
