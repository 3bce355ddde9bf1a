"""The pictures for TensorBoard."""

import numpy as np
import pytest

from runs.drawing import CELL, DEVIATIONS, SIDE, draw_confusion, draw_examples

MIDDLE = SIDE // 2
WHITE = [255, 255, 255]


def example(pixels: list[float], standardized: bool = False, name: str = "dog") -> np.ndarray:
    """Draws an image of one color."""
    image = np.full((1, 28, 28, len(pixels)), pixels, np.float32)
    return draw_examples(image, [name], standardized)


def test_an_example_is_drawn_as_the_network_sees_it() -> None:
    assert example([1, 0, 0.5])[MIDDLE, MIDDLE].tolist() == [255, 0, 128]
    colored = example([0.2, 1, 0, 0.4])  # of channelplex
    assert colored[MIDDLE, MIDDLE].tolist() == [51, 51, 51]
    assert colored[MIDDLE, MIDDLE + SIDE].tolist() == [255, 0, 102]
    standard = example([0, DEVIATIONS, -9], standardized=True)
    assert standard[MIDDLE, MIDDLE].tolist() == [128, 255, 0]


@pytest.mark.parametrize("size", [1, 28, 300])
def test_examples_have_one_size_and_a_name_each(size: int) -> None:
    images, names = np.zeros((9, size, size, 3), np.float32), ["x"] * 8 + [""]
    drawn = draw_examples(images, names, False)
    assert len(drawn) > 2 * SIDE and drawn.shape[1] < 9 * SIDE
    below = drawn[SIDE + 4 : SIDE + 20]
    assert (below[:, :SIDE] < 128).any()
    last = drawn[-20:]
    assert (last == WHITE).all()


def test_a_name_is_cut_to_its_space_and_has_no_control_characters() -> None:
    long = example([0, 0, 0], name="great dane " * 9)
    assert long.shape == example([0, 0, 0]).shape
    assert (long[SIDE + 4 :, SIDE + 8 :] == WHITE).all()
    assert (example([0, 0, 0], name="a\x1b[31m\nb") != example([0, 0, 0], name="ab")).any()


def test_a_confusion_is_dark_by_its_share_of_the_true_class() -> None:
    drawn = draw_confusion(np.array([[30, 10], [0, 4]]), ["a", "b"])
    corner = drawn[-4 - 2 * CELL :, :]
    left = next(x for x in range(99) if (corner[1, x] != 255).any())
    shades = [
        corner[2 + row * CELL, left + 2 + column * CELL, 0] for row in (0, 1) for column in (0, 1)
    ]
    assert shades[3] < shades[0] < shades[1] < shades[2] == 255


@pytest.mark.parametrize("classes", [1, 20, 21, 60, 61, 964, 1_623])
def test_a_matrix_of_any_number_of_classes_has_a_bounded_size(classes: int) -> None:
    counts = np.eye(classes, dtype=np.int64)
    drawn = draw_confusion(counts, ["a rather long name of a class"] * classes)
    assert max(drawn.shape) <= 1_200
    assert (drawn[-5, -5] != 255).any() or classes < 10  # the last class, taken for itself
