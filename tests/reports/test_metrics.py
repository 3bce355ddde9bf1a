"""The metrics: worked by hand, by a second formula, and where they do not apply."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.matrix import make_matrix
from reports.metrics import (
    METRICS,
    evaluation_interval,
    forgetting_of_tasks,
    forgetting_per_return,
    intransigence,
    measure,
    relearning,
    steps_until,
)
from runs.history import Evaluation
from tasks.schedule import Cycle, Joint, Random, Schedule
from tests.support.fuzzing import cases
from tests.support.histories import drawn_history, make_history

# Metrics that depend on the evaluations within turns.
DEPEND_ON_INTERVAL = {
    *("min_accuracy", "worst_case_accuracy", "relearning_steps", "relearned", "savings")
}
ONE_PASS = Cycle(3, 10)
ONE_PASS_HISTORY = make_history(
    ONE_PASS,
    {
        0: (0.1, 0.2, 0.3),
        10: (0.9, 0.3, 0.3),
        20: (0.7, 0.8, 0.5),
        25: (0.4, 0.7, 0.1),
        30: (0.5, 0.6, 0.7),
    },
)
RETURNS = Cycle(2, 10)
RETURNS_HISTORY = make_history(
    RETURNS,
    {
        0: (0.1, 0.2),
        5: (0.6, 0.9),
        8: (0.85, 0.1),  # task 0 is at 0.79 after 8 steps
        10: (0.8, 0.2),
        15: (0.45, 0.5),  # the lowest of task 0 after its first turn
        20: (0.5, 0.9),
        24: (0.7, 0.9),
        27: (0.79, 0.9),  # it is back at 0.8, less a point, after 7
        30: (0.9, 0.4),
        35: (0.5, 0.6),
        40: (0.6, 0.7),  # task 1 is not back at 0.9
    },
)


def known(found: dict[str, float | None]) -> dict[str, float]:
    """Returns the metrics that apply."""
    return {name: value for name, value in found.items() if value is not None}


def test_a_single_pass_by_hand() -> None:
    assert known(measure(ONE_PASS_HISTORY, ONE_PASS, shared_head=True)) == pytest.approx(
        {
            "average_accuracy": 0.6,  # of 0.5, 0.6 and 0.7
            "average_incremental_accuracy": 0.75,  # of 0.9, 0.75 and 0.6
            "forgetting": 0.3,  # of 0.9 - 0.5 and 0.8 - 0.6
            "backward_transfer": -0.3,  # the same
            "forward_transfer": 0.15,  # of 0.3 - 0.2 and 0.5 - 0.3
            "learning_accuracy": 0.8,  # of 0.9, 0.8 and 0.7
            "first_learning_accuracy": 0.8,
            "min_accuracy": 0.5,  # of 0.4 and 0.6
            "worst_case_accuracy": 0.7 / 3 + 0.5 * 2 / 3,
        }
    )
    matrix = make_matrix(ONE_PASS_HISTORY, ONE_PASS)
    np.testing.assert_allclose(forgetting_of_tasks(matrix), [0.4, 0.2, np.nan])
    assert intransigence(matrix, (1.0, 0.9, 0.5)) == pytest.approx(0)  # of 0.1, 0.1 and -0.2


def test_tasks_that_return_by_hand() -> None:
    assert measure(RETURNS_HISTORY, RETURNS, shared_head=True) == pytest.approx(
        {
            "average_accuracy": 0.65,
            "average_incremental_accuracy": 0.7,  # of 0.8, 0.7, 0.65 and 0.65
            "forgetting": 0.3,  # task 0: 0.9 - 0.6
            "backward_transfer": -0.2,  # task 0: 0.6 - 0.8
            "forward_transfer": 0.0,  # task 1: 0.2 - 0.2
            "learning_accuracy": 0.825,  # of 0.8, 0.9, 0.9 and 0.7
            "first_learning_accuracy": 0.85,
            "min_accuracy": 0.45,
            "worst_case_accuracy": 0.7 / 2 + 0.45 / 2,
            "forgetting_per_return": 0.4,  # of 0.8 - 0.5 and 0.9 - 0.4
            "relearning_steps": 8.5,  # of 7, and of the 10 of a turn
            "relearned": 0.5,
            "savings": 1 / 8,  # task 0: 1 - 7/8
        }
    )
    matrix = make_matrix(RETURNS_HISTORY, RETURNS)
    steps, savings = relearning(matrix, RETURNS_HISTORY)
    np.testing.assert_allclose(forgetting_per_return(matrix), [[0.3, 0.5]])
    np.testing.assert_array_equal(steps, [[7, np.inf]])
    np.testing.assert_allclose(savings, [[1 / 8, np.nan]])
    assert intransigence(matrix, (0.9, 1.0)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("schedule", "accuracies", "expected"),
    [
        (
            Cycle(1, 10),
            {0: (0.1,), 10: (0.9,), 35: (0.7,)},
            dict.fromkeys(("learning_accuracy", "first_learning_accuracy"), 0.7),
        ),
        (Joint(2), {0: (0.1, 0.2), 10: (0.9, 0.9), 35: (0.6, 0.8)}, {}),
        (Random((1.0, 1.0), seed=0), {0: (0.1, 0.2), 10: (0.9, 0.9), 35: (0.6, 0.8)}, None),
        # A switch that was not evaluated, and an older run without an evaluation before training.
        (Cycle(2, 10), {0: (0.1, 0.2), 35: (0.6, 0.8)}, None),
        (Cycle(2, 10), {10: (0.1, 0.2), 15: (0.6, 0.8)}, None),
    ],
)
def test_metrics_that_do_not_apply_are_none(
    schedule: Schedule, accuracies: dict, expected: dict | None
) -> None:
    found = measure(make_history(schedule, accuracies), schedule, shared_head=True)
    assert tuple(found) == METRICS
    matrix = expected is not None
    expected = (expected or {}) | {"average_accuracy": 0.7}
    expected |= {"average_incremental_accuracy": 0.7} if matrix else {}
    assert known(found) == pytest.approx(expected)


def test_no_forward_transfer_between_heads() -> None:
    shared, own = (measure(ONE_PASS_HISTORY, ONE_PASS, shared_head=each) for each in (True, False))
    assert own == shared | {"forward_transfer": None}


def test_forgetting_leaves_out_the_last_turn_and_may_be_negative() -> None:
    history = make_history(RETURNS, {0: (0.9, 0.9), 10: (0.5, 0.2), 20: (0.6, 0.8)})
    # The accuracy before training counts no more than the last.
    assert measure(history, RETURNS, shared_head=True)["forgetting"] == pytest.approx(-0.1)


def test_tasks_without_a_turn_yet_are_left_out() -> None:
    history = ONE_PASS_HISTORY[:3]  # the third task is not trained
    assert known(measure(history, ONE_PASS, shared_head=True)) == pytest.approx(
        {
            "average_accuracy": 2 / 3,  # but here: it is the mean of the last evaluation
            "average_incremental_accuracy": (0.9 + 0.75) / 2,
            "forgetting": 0.2,
            "backward_transfer": -0.2,
            "forward_transfer": 0.1,
            "learning_accuracy": 0.85,
            "first_learning_accuracy": 0.85,
            "min_accuracy": 0.7,
            "worst_case_accuracy": 0.75,
        }
    )


def test_a_shorter_last_turn_is_no_measure_of_relearning() -> None:
    history = [each for each in RETURNS_HISTORY if each.step < 40]
    matrix = make_matrix(history, RETURNS)
    np.testing.assert_array_equal(relearning(matrix, history)[0], [[7, np.nan]])
    found = measure(history, RETURNS, shared_head=True)
    assert (found["relearning_steps"], found["relearned"], found["savings"]) == (7, 1, 1 / 8)
    # What a task lost while it was away is known when its turn begins.
    assert found["forgetting_per_return"] == pytest.approx(0.4)


def test_each_task_counts_at_its_last_return() -> None:
    accuracies = {10 * turn: (turn / 10, turn / 20) for turn in range(6)}  # 5 turns: task 0 has 3
    history = make_history(RETURNS, accuracies)
    lost = forgetting_per_return(make_matrix(history, RETURNS))
    np.testing.assert_allclose(lost, [[0.1 - 0.2, 0.1 - 0.15], [0.3 - 0.4, np.nan]])
    found = measure(history, RETURNS, shared_head=True)
    assert found["forgetting_per_return"] == pytest.approx((-0.1 - 0.05) / 2)
    # Nothing is lost, so nothing is to be relearned.
    assert (found["relearning_steps"], found["relearned"], found["savings"]) == (0, 1, 1)


def test_savings_compare_with_the_first_turn() -> None:
    accuracies = {0: 0, 2: 0.5, 8: 0.9, 10: 0.9}  # a first turn that takes 8 steps to 0.9
    accuracies |= {20: 0.1, 24: 0.9, 30: 0.9}  # a return that takes 4
    accuracies |= {40: 0.1, 42: 0.9, 50: 0.9}  # and one that takes 2
    history = make_history(RETURNS, {step: (each, 0) for step, each in accuracies.items()})
    steps, savings = relearning(make_matrix(history, RETURNS), history)
    np.testing.assert_array_equal(steps[:, 0], [4, 2])
    np.testing.assert_array_equal(savings[:, 0], [1 / 2, 3 / 4])


def test_one_point_below_is_back_whatever_the_rounding() -> None:
    for percent in range(1, 101):
        turn = make_history(RETURNS, {10: ((percent - 1) / 100, 0)})
        assert steps_until(percent / 100, 0, turn) == 0


@pytest.mark.parametrize(
    ("first_turn", "later_turn", "expected"),
    [
        ((0.9, 0.9), (0.2, 0.9), None),  # at the level before training: nothing can be saved
        ((0.1, 0.9), (0.2, 0.2), None),  # not relearned
        ((0.1, 0.9), (0.9, 0.9), 1),  # not lost
    ],
)
def test_savings_need_both_turns(
    first_turn: tuple, later_turn: tuple, expected: float | None
) -> None:
    """The accuracies of task 0 are those at the start and the end of its turns."""
    accuracies = (first_turn[0], first_turn[1], later_turn[0], later_turn[1])
    history = make_history(RETURNS, {10 * n: (each, 0) for n, each in enumerate(accuracies)})
    assert measure(history, RETURNS, shared_head=True)["savings"] == expected


def one_based(a: list[list[float]], b: list[float]) -> dict[str, float]:
    """Computes the metrics of a single pass as the papers write them, from a[k][j] and b[j]."""
    T = len(a)

    def A(k: int, j: int) -> float:
        return a[k - 1][j - 1]

    forgotten = 0.0
    for j in range(1, T):
        best = -1.0
        for row in range(1, T):  # l = 1 … T - 1
            best = max(best, A(row, j))
        forgotten += best - A(T, j)
    backward = forward = mean = incremental = learned = 0.0
    for i in range(1, T):
        backward += A(T, i) - A(i, i)
    for i in range(2, T + 1):
        forward += A(i - 1, i) - b[i - 1]
    for k in range(1, T + 1):
        mean += A(T, k) / T
        learned += A(k, k) / T
        for j in range(1, k + 1):
            incremental += A(k, j) / k / T
    worst = 0.0
    for i in range(1, T):
        low = 1.0
        for k in range(i + 1, T + 1):
            low = min(low, A(k, i))
        worst += low / (T - 1)
    return {
        "average_accuracy": mean,
        "average_incremental_accuracy": incremental,
        "forgetting": forgotten / (T - 1),
        "backward_transfer": backward / (T - 1),
        "forward_transfer": forward / (T - 1),
        "learning_accuracy": learned,
        "first_learning_accuracy": learned,
        "min_accuracy": worst,
        "worst_case_accuracy": A(T, T) / T + (1 - 1 / T) * worst,
    }


@pytest.mark.parametrize("tasks", [2, 5, 20])
def test_a_single_pass_agrees_with_the_papers_formulas(tasks: int) -> None:
    schedule = Cycle(tasks, 7)
    history = drawn_history(schedule, tasks, range(0, 7 * tasks + 1, 7))
    untrained, *rows = [list(each.accuracy) for each in history]
    found = known(measure(history, schedule, shared_head=True))
    assert found == pytest.approx(one_based(rows, untrained))


@cases(30)
@given(
    tasks=st.integers(1, 4),
    last=st.integers(1, 60),
    extra=st.sets(st.integers(1, 59)),
)
def test_evaluations_within_turns_change_only_what_depends_on_them(
    tasks: int, last: int, extra: set[int]
) -> None:
    schedule = Cycle(tasks, 5)
    ends = {*range(0, last, 5), last}
    few, many = (
        measure(drawn_history(schedule, tasks, sorted(steps)), schedule, shared_head=True)
        for steps in (ends, ends | {step for step in extra if step < last})
    )
    for name in METRICS:
        if name not in DEPEND_ON_INTERVAL:
            assert few[name] == many[name], name
    if few["min_accuracy"] is not None:
        assert many["min_accuracy"] <= few["min_accuracy"]
    if few["relearned"] is not None:
        assert many["relearned"] >= few["relearned"]


@pytest.mark.parametrize("frequency", [20, 50, 70, 100, 600])
def test_forgetting_does_not_follow_from_the_test_frequency(frequency: int) -> None:
    """As of `--tasks id ref --task-time 50 --max-steps 600`."""
    schedule = Cycle(2, 50)
    reference = measure(drawn_history(schedule, 2, range(0, 601, 50)), schedule, shared_head=True)
    steps = sorted({*range(0, 601, 50), *range(0, 601, frequency)})
    found = measure(drawn_history(schedule, 2, steps), schedule, shared_head=True)
    assert found["forgetting"] == reference["forgetting"]


@pytest.mark.parametrize(("steps", "expected"), [((0,), None), ((0, 10, 13, 20), 10)])
def test_the_interval_of_evaluations(steps: tuple[int, ...], expected: int | None) -> None:
    assert evaluation_interval([Evaluation(step, None, (0.5,), ()) for step in steps]) == expected
