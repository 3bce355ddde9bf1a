"""Metrics of what a run learned, kept and forgot, from the history of its evaluations."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from runs.history import Evaluation

QUANTITIES = ("best", "final", "at_last_switch", "drop_from_best")


def summarize(
    history: Sequence[Evaluation], task_names: Sequence[str], switches: Callable[[int], int]
) -> dict[str, Any]:
    """Returns the contents of `summary.json`: a dict for each task, and the means over the tasks.

    `drop_from_best` is a task's best accuracy of the whole run minus its final one, and so never
    negative. (The forgetting of Chaudhry et al. 2018, arXiv 1801.10112, leaves out the final
    evaluation, and can be.)

    Args:
        switches: counts the switches of task within the steps before a step.
    """
    tasks = []
    for index, name in enumerate(task_names):
        accuracies = [evaluation.accuracy[index] for evaluation in history]
        best = max(accuracies)
        tasks.append(
            {
                "name": name,
                "best": best,
                "best_step": history[accuracies.index(best)].step,
                "final": accuracies[-1],
                "at_last_switch": at_last_switch(history, index, switches),
                "drop_from_best": best - accuracies[-1],
            }
        )
    means = {}
    for quantity in QUANTITIES:
        values = [task[quantity] for task in tasks if task[quantity] is not None]
        means[quantity] = fmean(values) if values else None
    return {"tasks": tasks, "mean": means}


def at_last_switch(
    history: Sequence[Evaluation], index: int, switches: Callable[[int], int]
) -> float | None:
    """Returns the task's accuracy at the last evaluation within a finished turn of its own.

    That is the evaluation at the switch to the next task where there was one. None where the task
    has no finished turn with an evaluation.
    """
    last_turn = switches(history[-1].step)
    for evaluation in reversed(history):
        if evaluation.trained == index and switches(evaluation.step) < last_turn:
            return evaluation.accuracy[index]
    return None
