"""The contents of `summary.json`: each task's accuracies, their means, and the metrics."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from reports.matrix import Matrix, make_matrix
from reports.metrics import (
    evaluation_interval,
    forgetting_of_tasks,
    forgetting_per_return,
    last_returns,
    measure,
)
from runs.history import Evaluation
from settings import Settings
from tasks.schedule import Schedule

QUANTITIES = (
    *("best", "final", "at_last_switch", "drop_from_best"),
    *("forgetting", "forgetting_per_return"),
)


def summarize(
    history: Sequence[Evaluation], settings: Settings, schedule: Schedule
) -> dict[str, Any]:
    """Returns the summary of a run up to its last evaluation.

    Returns:
        `tasks`, a dict for each task; `mean`, of the tasks to which a quantity applies; `metrics`,
        as `measure` returns them; and `evaluation_interval`, on which some of those depend.
    """
    names = settings.tasks.tasks
    of_matrix = quantities_of(make_matrix(history, schedule), len(names))
    tasks = [
        {"name": name}
        | accuracies_of(history, index)
        | {quantity: values[index] for quantity, values in of_matrix.items()}
        for index, name in enumerate(names)
    ]
    means = {}
    for quantity in QUANTITIES:
        values = [task[quantity] for task in tasks if task[quantity] is not None]
        means[quantity] = fmean(values) if values else None
    return {
        "tasks": tasks,
        "mean": means,
        "metrics": measure(history, schedule, settings.network.heads == "shared"),
        "evaluation_interval": evaluation_interval(history),
    }


def accuracies_of(history: Sequence[Evaluation], task: int) -> dict[str, float]:
    """Returns a task's best and final accuracy of all evaluations.

    `drop_from_best` is never negative, and depends on the interval of the evaluations; it is there
    for runs to which forgetting does not apply.
    """
    accuracies = [evaluation.accuracy[task] for evaluation in history]
    best, final = max(accuracies), accuracies[-1]
    return {
        "best": best,
        "best_step": history[accuracies.index(best)].step,
        "final": final,
        "drop_from_best": best - final,
    }


def quantities_of(matrix: Matrix | None, tasks: int) -> dict[str, list[float | None]]:
    """Returns what a matrix tells of each task; None where it does not apply.

    `at_last_switch` is the accuracy at the end of the task's last turn before the run's last turn.
    """
    switch, forgotten, returned = np.full((3, tasks), np.nan)
    if matrix is not None:
        for task, rows in matrix.turns.items():
            before = [row for row in rows if row < len(matrix.steps) - 1]
            if before:
                switch[task] = matrix.accuracy[before[-1], task]
        forgotten = forgetting_of_tasks(matrix)
        lost = forgetting_per_return(matrix)
        places = last_returns(lost)
        returned[places[1]] = lost[places]
    found = {
        "at_last_switch": switch,
        "forgetting": forgotten,
        "forgetting_per_return": returned,
    }
    return {
        name: [None if np.isnan(value) else float(value) for value in values]
        for name, values in found.items()
    }
