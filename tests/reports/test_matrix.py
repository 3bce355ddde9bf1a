"""The accuracy matrix: its rows, where there is none, and its file."""

import csv
import io

import numpy as np
import pytest

from reports.matrix import make_matrix, to_csv
from tasks.schedule import Cycle, Joint, Random
from tests.support.histories import drawn_history, make_history

CYCLE = Cycle(2, 10)


def test_a_row_for_each_turn_and_the_lowest_within_it() -> None:
    history = make_history(
        CYCLE,
        {
            0: (0.1, 0.2),
            4: (0.7, 0.1),  # the lowest of task 1 in the first turn
            10: (0.9, 0.3),
            13: (0.2, 0.5),  # of task 0 in the second
            20: (0.4, 0.8),
            25: (0.6, 0.6),  # an unfinished turn: its row is its last evaluation
        },
    )
    matrix = make_matrix(history, CYCLE)
    assert matrix.steps.tolist() == [0, 10, 20, 25]
    assert matrix.trained == (None, 0, 1, 0)
    assert matrix.accuracy.tolist() == [[0.1, 0.2], [0.9, 0.3], [0.4, 0.8], [0.6, 0.6]]
    assert matrix.lowest.tolist() == [[0.1, 0.2], [0.7, 0.1], [0.2, 0.5], [0.6, 0.6]]
    assert matrix.turns == {0: [1, 3], 1: [2]}


@pytest.mark.parametrize("schedule", [Cycle(1, 10), Joint(1), Joint(2)])
def test_without_switches_there_is_one_turn(schedule: Cycle | Joint) -> None:
    matrix = make_matrix(drawn_history(schedule, schedule.tasks, (0, 10, 25, 40)), schedule)
    assert matrix.steps.tolist() == [0, 40]
    assert matrix.trained == (None, None if schedule.tasks == 2 else 0)


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (CYCLE, (0,)),  # nothing is trained yet
        (CYCLE, (5, 10, 20)),  # no evaluation before training
        (CYCLE, (0, 10, 25)),  # none at the end of the second turn
        (CYCLE, (0, 10, 19, 30)),
        (CYCLE, (0, 15)),  # nor of the first
        (CYCLE, (0, 40)),
        (Random((1.0, 1.0), seed=0), (0, 1, 2, 3)),
    ],
)
def test_there_is_no_matrix_without_an_evaluation_at_each_turns_end(
    schedule: Cycle | Random, steps: tuple[int, ...]
) -> None:
    assert make_matrix(drawn_history(schedule, 2, steps), schedule) is None


def test_no_random_schedule_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take minutes where the last step is 10^10."""
    random = Random((1.0, 1.0), seed=0)
    history = drawn_history(random, 2, (0, 9))
    monkeypatch.setattr(Random, "draw_block", lambda self, number: pytest.fail("drawn"))
    random.block.cache_clear()
    assert make_matrix(history, random) is None


def test_the_rows_of_finished_turns_stay_when_a_run_is_continued() -> None:
    first = make_matrix(drawn_history(CYCLE, 2, (0, 5, 10, 15)), CYCLE)
    # The last evaluation of a run that had ended in mid-turn is cut when it is resumed.
    more = make_matrix(drawn_history(CYCLE, 2, (0, 5, 10, 20, 30)), CYCLE)
    np.testing.assert_array_equal(more.accuracy[:2], first.accuracy[:2])
    assert (first.steps[2], more.steps[2]) == (15, 20)


@pytest.mark.parametrize(("schedule", "trained"), [(CYCLE, ["id", 'a,"b"\n']), (Joint(2), ["all"])])
def test_matrix_csv_reads_back_in_full_precision(
    schedule: Cycle | Joint, trained: list[str]
) -> None:
    names = ["id", 'a,"b"\n']
    matrix = make_matrix(drawn_history(schedule, 2, (0, 5, 10, 17)), schedule)
    heading, *rows = csv.reader(io.StringIO(to_csv(matrix, names)))
    assert heading == ["turn", "step", "trained", *names, *(f"lowest {name}" for name in names)]
    assert [row[0] for row in rows] == [str(turn) for turn in range(len(rows))]
    assert [int(row[1]) for row in rows] == matrix.steps.tolist()
    assert [row[2] for row in rows] == ["", *trained]
    numbers = np.array([row[3:] for row in rows], float)
    np.testing.assert_array_equal(numbers, np.hstack([matrix.accuracy, matrix.lowest]))
