"""Drawn data: its sizes, and that it is the same in every run."""

import numpy as np
import pytest

from data import drawn


@pytest.mark.parametrize(
    ("name", "train", "test", "channels"), [("mnist", 6_000, 1_000, 1), ("dogs", 900, 300, 3)]
)
def test_drawn_pictures(name, train, test, channels):
    dataset = drawn.find(name, quiet=True).read()
    for split, count in ((dataset.train, train), (dataset.test, test)):
        assert split.images.shape == (count, 28, 28, channels)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int32)
        assert np.bincount(split.labels).tolist() == [count // 10] * 10
        pictures = split.images.reshape(count, -1)
        assert len(np.unique(pictures, axis=0)) == count
        assert pictures.std(axis=1).min() > 5  # none is empty
    assert len(dataset.class_names) == 10
    assert "drawn" in dataset.origin


@pytest.mark.parametrize("draw", [drawn.draw_digit, drawn.draw_dog])
def test_drawing_is_deterministic(draw):
    random, same = np.random.default_rng(3), np.random.default_rng(3)
    for label in range(10):
        np.testing.assert_array_equal(draw(label, random), draw(label, same))
