"""Histories of runs that never were, for the tests of metrics."""

from collections.abc import Sequence

import numpy as np

from runs.history import Evaluation
from tasks.schedule import Schedule


def make_history(schedule: Schedule, accuracies: dict[int, Sequence[float]]) -> list[Evaluation]:
    """Returns evaluations with these accuracies, by their steps."""
    return [
        Evaluation(step, trained_at(schedule, step), tuple(map(float, row)), loss=())
        for step, row in sorted(accuracies.items())
    ]


def trained_at(schedule: Schedule, step: int) -> int | None:
    """Returns the task of the last of so many steps, as an evaluation has it."""
    tasks = schedule.tasks_at(step - 1) if step else ()
    return tasks[0] if len(tasks) == 1 else None


def drawn_history(schedule: Schedule, tasks: int, steps: Sequence[int]) -> list[Evaluation]:
    """Returns evaluations at these steps, whose accuracies follow from the step alone."""
    return make_history(
        schedule, {step: np.random.default_rng(step).random(tasks).round(3) for step in steps}
    )
