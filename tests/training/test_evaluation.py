"""The evaluation of tasks on their test sets."""

import numpy as np
import pytest

from runs.history import Tally
from tests.support.problems import make_problem, set_output
from training.chunks import ChunkSize

BATCH = 200  # test images of 28×28


@pytest.mark.parametrize("size", [1, BATCH - 1, BATCH, 2 * BATCH + 1])
def test_every_test_image_counts_once(size):
    problem = make_problem(network=("fc",), test=size)
    bias = np.zeros(10, np.float32)
    bias[3] = np.log(11)  # the right label has a probability of 11 in 20
    set_output(problem.network, bias)
    (tally,) = problem.evaluate(lambda: False)
    assert tally.examples == tally.correct == size
    assert tally.loss == pytest.approx(np.log(20 / 11), rel=1e-6)
    set_output(problem.network, -bias)
    assert problem.evaluate(lambda: False)[0].correct == 0


def test_an_evaluation_in_pieces_equals_one_at_once():
    (loop,) = make_problem(filters=(2,), test=2 * BATCH + 50).evaluations
    loop.chunk.amount = 9
    whole = loop.evaluate()
    loop.chunk = ChunkSize(most=1)
    assert loop.evaluate() == whole


@pytest.mark.parametrize("looks", [1, 2])
def test_an_evaluation_ends_without_a_result_when_stopped(looks):
    problem = make_problem(filters=(2,), test=2 * BATCH + 50)
    answers = iter([False] * (looks - 1) + [True])
    assert problem.evaluate(lambda: next(answers)) is None


def test_tallies_are_added_by_their_sums():
    tally = Tally(8, 6, 4.0) + Tally(2, 1, 6.0)
    assert tally.accuracy == 0.7
    assert tally.loss == 1.0
