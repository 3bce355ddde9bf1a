"""The pictures of a run: its examples, and confusion matrices with exact counts."""

import numpy as np
import pytest

from data.dataset import Split
from tests.support.problems import make_problem
from training.feed import Feed
from training.problem import Problem

LABELS = (0, 0, 1, 1, 2)
PREDICTED = (0, 1, 1, 1, 5)


def numbered_by_prediction(count: int) -> Split:
    """Returns images with the labels LABELS, whose pixel number PREDICTED is white."""
    images = np.zeros((count, 28, 28, 1), np.uint8)
    for place in range(count):
        images[place, 0, PREDICTED[place % 5], 0] = 255
    return Split(images, np.resize(np.array(LABELS, np.int32), count))


def answering(images: int, **given: object) -> Problem:
    """Returns a problem whose network predicts PREDICTED."""
    problem = make_problem(network=("fc",), test=images, make=numbered_by_prediction, **given)
    for head in problem.network.heads:
        kernel = np.zeros(head.layers[-1].kernel.shape)
        kernel[:30:3, :] = np.eye(10)  # the first of three channels of ten pixels
        head.layers[-1].kernel.assign(kernel)
    return problem


@pytest.mark.parametrize("rounds", [1, 90])  # in one batch of 200, and in three
def test_a_confusion_matrix_by_hand(rounds: int) -> None:
    problem = answering(5 * rounds)
    (tally,) = problem.evaluate(lambda: False)
    expected = np.zeros((10, 10), np.int64)
    expected[0, 0] = expected[0, 1] = expected[2, 5] = rounds
    expected[1, 1] = 2 * rounds
    assert problem.confusions()[0].tolist() == expected.tolist()
    assert tally.correct == expected.trace()


def test_each_task_has_the_matrix_of_its_own_head_and_labels() -> None:
    problem = answering(5, tasks=("id", "zero", "id"), heads="multi")
    problem.network.head(2).layers[-1].kernel.assign(np.zeros((784 * 3, 10)))
    problem.evaluate(lambda: False)
    found = problem.confusions()
    assert found[0][2, 5] == 1 and found[0].trace() == 3
    # Of an image that is all 0, and of a head that is: the first class.
    for index in (1, 2):
        assert found[index][:, 0].tolist() == [2, 2, 1, 0, 0, 0, 0, 0, 0, 0]


def test_an_evaluation_in_pieces_has_the_matrix_of_one_at_once() -> None:
    problem = answering(450)
    (loop,) = problem.evaluations
    loop.chunk.amount = 1
    loop.evaluate()
    in_pieces = loop.confusions()[0]
    loop.chunk.amount = 9
    loop.evaluate()
    assert (loop.confusions()[0] == in_pieces).all() and in_pieces.sum() == 450


def feed_of(count: int) -> Feed:
    return make_problem(network=("fc",), train=count, tasks=("inv",)).task_data[0].feed


@pytest.mark.parametrize(("count", "places"), [(3, [0, 1, 2]), (64, [*range(0, 64, 4)])])
def test_examples_are_from_the_whole_training_set_and_transformed(count, places) -> None:
    images, found = feed_of(count).examples(16)
    assert found.tolist() == places
    # Their second pixel has their number, and `inv` swaps black and white.
    np.testing.assert_allclose(images.numpy()[:, 0, 1, 0], 1 - np.array(places) / 255, rtol=1e-6)
