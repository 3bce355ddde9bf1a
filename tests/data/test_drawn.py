"""Drawn data: its sizes, and that it is the same in every run."""

import numpy as np
import pytest

from data import drawn


@pytest.mark.parametrize(
    ("find", "train", "test", "channels"),
    [(drawn.find_digits, 6_000, 1_000, 1), (drawn.find_dogs, 900, 300, 3)],
)
def test_drawn_pictures(find, train, test, channels):
    dataset = find(quiet=True).read()
    assert dataset.train.images.shape == (train, 28, 28, channels)
    assert dataset.test.images.shape == (test, 28, 28, channels)
    for split in (dataset.train, dataset.test):
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int32
        assert np.bincount(split.labels).tolist() == [len(split.labels) // 10] * 10
        pictures = split.images.reshape(len(split.images), -1)
        assert len(np.unique(pictures, axis=0)) == len(pictures)
        assert pictures.std(axis=1).min() > 5  # none is empty
    assert len(dataset.class_names) == 10
    assert "drawn" in dataset.origin


def test_drawing_is_deterministic():
    first, again = drawn.find_dogs(quiet=True).read(), drawn.find_dogs(quiet=True).read()
    np.testing.assert_array_equal(first.train.images, again.train.images)
    np.testing.assert_array_equal(first.test.images, again.test.images)
    random, same = np.random.default_rng(3), np.random.default_rng(3)
    for digit in range(10):
        np.testing.assert_array_equal(
            drawn.draw_digit(digit, random), drawn.draw_digit(digit, same)
        )
