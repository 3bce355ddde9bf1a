"""Arithmetic on the accuracy history: what was learned, kept and forgotten.

A history is a list of tests in order, each a dict as in `metrics.jsonl`: `step`, `trained` (the
index of the task just trained, None at step 0), `accuracy` and `loss` (lists in the order of the
tasks) and `mean_accuracy`.
"""

from statistics import fmean


def summarize(history: list[dict], task_names: list[str]) -> dict:
    """What a run came to: a dict per task, and the means over the tasks.

    `forgetting` is a task's best accuracy minus its final one (Chaudhry et al. 2018, arXiv
    1801.10112, measure it against the best before the final task; here against the best of the
    whole run, so that it is never negative).
    """
    tasks = [task_summary(history, index, name) for index, name in enumerate(task_names)]
    means = {
        quantity: mean_or_none([task[quantity] for task in tasks])
        for quantity in ("best", "final", "at_last_switch", "forgetting")
    }
    return {"tasks": tasks, "mean": means}


def task_summary(history: list[dict], index: int, name: str) -> dict:
    """One task's accuracies: best, final, when last switched away from, and what was forgotten."""
    accuracies = [test["accuracy"][index] for test in history]
    best = max(accuracies)
    return {
        "name": name,
        "best": best,
        "best_step": history[accuracies.index(best)]["step"],
        "final": accuracies[-1],
        "at_last_switch": at_last_switch(history, index),
        "forgetting": best - accuracies[-1],
    }


def at_last_switch(history: list[dict], index: int) -> float | None:
    """The task's accuracy at the last test of its last turn that another task's turn followed.

    None where no turn of the task was followed by another task's.
    """
    for test, following in zip(reversed(history[:-1]), reversed(history[1:]), strict=True):
        if test["trained"] == index and following["trained"] != index:
            return test["accuracy"][index]
    return None


def mean_or_none(values: list[float | None]) -> float | None:
    """The mean of the values that are there; None where none is."""
    present = [value for value in values if value is not None]
    return fmean(present) if present else None
