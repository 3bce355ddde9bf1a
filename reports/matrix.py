"""The accuracy matrix of a run: a row for each turn of a task, a column for each task.

The metrics of continual learning are defined on it. It follows from the evaluations at the ends of
turns alone, and so does not depend on the interval of the others; but `lowest` does.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from runs.history import Evaluation
from tasks.schedule import Random, Schedule

ALL = "all"  # in `matrix.csv`, of a turn that trains all tasks


@dataclass(frozen=True, eq=False)
class Matrix:
    """Each task's accuracy before training (row 0), and at the end of each of K turns.

    The last turn may be unfinished; its row is the run's last evaluation.
    """

    steps: np.ndarray  # [K + 1] int64, the number of steps done at the evaluation of each row
    # [K + 1], the index of the task that a turn trains; None before training, and where it trains
    # all tasks, which is a single turn.
    trained: tuple[int | None, ...]
    accuracy: np.ndarray  # [K + 1, T] float64, 0 to 1
    lowest: np.ndarray  # [K + 1, T], of the evaluations within the turn, its end included

    @cached_property
    def turns(self) -> dict[int, list[int]]:
        """The rows of each task's turns, by task, in the order of their first turns.

        Empty where all tasks are trained at once.
        """
        found: dict[int, list[int]] = {}
        for row, task in enumerate(self.trained):
            if task is not None:
                found.setdefault(task, []).append(row)
        return found

    @property
    def earlier(self) -> list[int]:
        """The tasks that were trained, but the last trained."""
        return [task for task in self.turns if task != self.trained[-1]]

    @property
    def returns(self) -> Iterator[tuple[int, int, int, int]]:
        """The returns of each task.

        Yields:
            Which return of the task it is, from 0; the task; the row of its turn before, and that
            of the turn to which it returns.
        """
        for task, rows in self.turns.items():
            for number, (before, again) in enumerate(pairwise(rows)):
                yield number, task, before, again

    def series(self) -> np.ndarray:
        """Returns NaN for each return of each task, [R, T]: tasks may return less often than R."""
        returns = max(map(len, self.turns.values()), default=1) - 1
        return np.full((returns, self.accuracy.shape[1]), np.nan)


def make_matrix(history: Sequence[Evaluation], schedule: Schedule) -> Matrix | None:
    """Returns the accuracy matrix of a run up to its last evaluation.

    Returns:
        None where it does not apply: without an evaluation before training, without one at the end
        of each turn but the last, without one after training, and with a random schedule.
    """
    if isinstance(schedule, Random) or len(history) < 2 or history[0].step:
        return None
    last = len(history) - 1
    ends = [
        place
        for place, each in enumerate(history)
        if place in (0, last) or ends_turn(schedule, each.step)
    ]
    steps = [history[place].step for place in ends]
    if [schedule.switches(step) for step in steps[1:]] != list(range(len(ends) - 1)):
        return None
    accuracy = np.array([each.accuracy for each in history], np.float64)
    starts = [0, *(end + 1 for end in ends[:-1])]
    trained = [schedule.tasks_at(step - 1) for step in steps[1:]]
    return Matrix(
        np.array(steps, np.int64),
        (None, *(tasks[0] if len(tasks) == 1 else None for tasks in trained)),
        accuracy[ends],
        np.minimum.reduceat(accuracy, starts),
    )


def ends_turn(schedule: Schedule, step: int) -> bool:
    """Tells whether a turn ends, and another begins, when so many steps are done."""
    return schedule.next_switch(step - 1) == step


def to_csv(matrix: Matrix, task_names: Sequence[str]) -> str:
    """Returns the contents of `matrix.csv`: a row for each turn, a column for each task.

    After the accuracies, the columns `lowest <task>` follow.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    lowest = [f"lowest {name}" for name in task_names]
    writer.writerow(["turn", "step", "trained", *task_names, *lowest])
    names = ["" if turn == 0 else ALL for turn in range(len(matrix.trained))]
    for task, rows in matrix.turns.items():
        for row in rows:
            names[row] = task_names[task]
    numbers = np.hstack([matrix.accuracy, matrix.lowest]).tolist()
    for turn, (step, name, row) in enumerate(
        zip(matrix.steps.tolist(), names, numbers, strict=True)
    ):
        writer.writerow([turn, step, name, *row])
    return file.getvalue()
