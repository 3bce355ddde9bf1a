"""Arithmetic on the accuracy history: what was learned, kept and forgotten.

A history is a list of tests in order, each a dict as in `metrics.jsonl`: `step`, `trained` (the
index of the task just trained, None at step 0 and where several are trained together), `accuracy`
and `loss` (lists in the order of the tasks) and `mean_accuracy`.
"""

from collections.abc import Callable
from statistics import fmean


def summarize(history: list[dict], task_names: list[str], switches: Callable[[int], int]) -> dict:
    """What a run came to: a dict per task, and the means over the tasks.

    `switches` says how often the task changed within the steps before a step.

    `forgetting` is a task's best accuracy minus its final one (Chaudhry et al. 2018, arXiv
    1801.10112, measure it against the best before the final task; here against the best of the
    whole run, so that it is never negative).
    """
    tasks = []
    for index, name in enumerate(task_names):
        accuracies = [test["accuracy"][index] for test in history]
        best = max(accuracies)
        tasks.append(
            {
                "name": name,
                "best": best,
                "best_step": history[accuracies.index(best)]["step"],
                "final": accuracies[-1],
                "at_last_switch": at_last_switch(history, index, switches),
                "forgetting": best - accuracies[-1],
            }
        )
    means = {
        quantity: mean_or_none([task[quantity] for task in tasks])
        for quantity in ("best", "final", "at_last_switch", "forgetting")
    }
    return {"tasks": tasks, "mean": means}


def at_last_switch(history: list[dict], index: int, switches: Callable[[int], int]) -> float | None:
    """The task's accuracy at the last test within a turn of its own that is over.

    That is the test at the switch to the next task where one was made there. None where no turn of
    the task is over, or none that is had a test in it.
    """
    turns = [switches(test["step"]) for test in history]
    for test, turn in zip(reversed(history), reversed(turns), strict=True):
        if test["trained"] == index and turn < turns[-1]:
            return test["accuracy"][index]
    return None


def mean_or_none(values: list[float | None]) -> float | None:
    """The mean of the values that are there; None where none is."""
    present = [value for value in values if value is not None]
    return fmean(present) if present else None
