"""Metrics of what a run learned, kept and forgot.

In the equations a[k, j] is the accuracy on task j, 0 to 1, at the end of turn k = 1 … K; a[0, j] is
the one before training; f(j) is the first turn of task j, and t(k) the task of turn k. "The earlier
tasks" are those that were trained, but the last trained, t(K). Each metric is None where it does
not apply. `docs/metrics.md` compares them with those of other programs.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import numpy as np

from reports.matrix import Matrix, make_matrix
from runs.history import Evaluation
from tasks.schedule import Schedule

METRICS = (
    "average_accuracy",
    "average_incremental_accuracy",
    "forgetting",
    "backward_transfer",
    "forward_transfer",
    "learning_accuracy",
    "first_learning_accuracy",
    "min_accuracy",
    "worst_case_accuracy",
    "forgetting_per_return",
    "relearning_steps",
    "relearned",
    "savings",
)
# A task is back at an accuracy where it is at most one point below.
BACK = 0.01
ROUNDING = 1e-9  # less than one example in any test set is of its accuracy


def average_accuracy(history: Sequence[Evaluation]) -> float:
    """Returns the mean over all tasks of the last accuracy, of any run.

    ACC of Lopez-Paz and Ranzato 2017 (GEM, arXiv 1706.08840): 1/T Σ_j a[K, j].
    """
    return history[-1].mean_accuracy


def average_incremental_accuracy(matrix: Matrix) -> float:
    """Returns the mean over the turns of the mean over the tasks that were trained until then.

    Rebuffi et al. 2017 (iCaRL, arXiv 1611.07725): 1/K Σ_k mean of a[k, j] over j with f(j) <= k.
    """
    turns = len(matrix.steps) - 1
    first = np.full(matrix.accuracy.shape[1], turns + 1 if matrix.turns else 1)
    for task, rows in matrix.turns.items():
        first[task] = rows[0]
    seen = np.arange(1, turns + 1)[:, None] >= first
    return float(np.mean(np.mean(matrix.accuracy[1:], axis=1, where=seen)))


def forgetting_of_tasks(matrix: Matrix) -> np.ndarray:
    """Returns how much of each earlier task was forgotten, [T] float64, NaN for the other tasks.

    Chaudhry et al. 2018 (arXiv 1801.10112): max over l = 1 … K - 1 of a[l, j], less
    a[K, j]. The last turn is no part of the maximum, so it may be negative.
    """
    found = np.full(matrix.accuracy.shape[1], np.nan)
    earlier = matrix.earlier
    if earlier:
        highest = matrix.accuracy[1:-1, earlier].max(axis=0)
        found[earlier] = highest - matrix.accuracy[-1, earlier]
    return found


def forgetting(matrix: Matrix) -> float | None:
    """Returns the mean of `forgetting_of_tasks` over the earlier tasks.

    Chaudhry et al. 2018 (arXiv 1801.10112): F = 1/(T - 1) Σ over the earlier tasks.
    """
    return mean_of_known(forgetting_of_tasks(matrix))


def backward_transfer(matrix: Matrix) -> float | None:
    """Returns the mean over the earlier tasks of the change since the end of their first turn.

    BWT of Lopez-Paz and Ranzato 2017 (GEM, arXiv 1706.08840), where T tasks were trained:
    1/(T - 1) Σ over the earlier tasks of a[K, j] - a[f(j), j].
    """
    accuracy = matrix.accuracy
    changes = [accuracy[-1, j] - accuracy[matrix.turns[j][0], j] for j in matrix.earlier]
    return fmean(changes) if changes else None


def forward_transfer(matrix: Matrix) -> float | None:
    """Returns the mean over all trained tasks but the first of what others taught of them.

    FWT of Lopez-Paz and Ranzato 2017 (GEM, arXiv 1706.08840), where T tasks were trained:
    1/(T - 1) Σ over all but t(1) of a[f(j) - 1, j] - a[0, j], the network before training being
    that of the same run. Means nothing where each task has a head, which is untrained till then.
    """
    gains = [
        matrix.accuracy[first - 1, task] - matrix.accuracy[0, task]
        for task, (first, *_) in matrix.turns.items()
        if first > 1
    ]
    return fmean(gains) if gains else None


def learning_accuracy(matrix: Matrix) -> float | None:
    """Returns the mean over the turns of the trained task's accuracy at the turn's end.

    Riemer et al. 2019 (MER, arXiv 1810.11910): 1/K Σ_k a[k, t(k)].
    """
    ends = [matrix.accuracy[row, task] for task, rows in matrix.turns.items() for row in rows]
    return fmean(ends) if ends else None


def first_learning_accuracy(matrix: Matrix) -> float | None:
    """Returns the learning accuracy over the first turns alone: the mean over j of a[f(j), j]."""
    ends = [matrix.accuracy[rows[0], task] for task, rows in matrix.turns.items()]
    return fmean(ends) if ends else None


def intransigence(matrix: Matrix, reference: Sequence[float]) -> float | None:
    """Returns the mean over the trained tasks of what a reference learned of them beyond this run.

    Chaudhry et al. 2018 (arXiv 1801.10112): a*[j] - a[f(j), j].

    Args:
        reference: a*, the final accuracy of each task when trained alone, or jointly with all
            others. (The paper's: jointly with those that were trained before.)
    """
    missed = [reference[j] - matrix.accuracy[rows[0], j] for j, rows in matrix.turns.items()]
    return fmean(missed) if missed else None


def min_accuracy(matrix: Matrix) -> float | None:
    """Returns the mean over the earlier tasks of the lowest accuracy since their first turn ended.

    min-ACC of De Lange et al. 2023 (arXiv 2205.13452): the mean of min a(j) over the evaluations
    after turn f(j). The rarer the evaluations, the higher: it is an upper bound.
    """
    lowest = [matrix.lowest[matrix.turns[task][0] + 1 :, task].min() for task in matrix.earlier]
    return fmean(lowest) if lowest else None


def worst_case_accuracy(matrix: Matrix) -> float | None:
    """Returns the trade-off of plasticity and the worst stability, where k tasks were trained.

    WC-ACC of De Lange et al. 2023 (arXiv 2205.13452): 1/k a[K, t(K)] + (1 - 1/k) min-ACC. Depends
    on the interval of evaluations as min-ACC does.
    """
    worst = min_accuracy(matrix)
    if worst is None:
        return None
    share = 1 / len(matrix.turns)
    return float(share * matrix.accuracy[-1, matrix.trained[-1]] + (1 - share) * worst)


def forgetting_per_return(matrix: Matrix) -> np.ndarray:
    """Returns how much of a task was lost while it was away, for each of its returns.

    Ours: with v(j, r) for the r-th turn of task j, a[v(j, r), j] - a[v(j, r + 1) - 1, j].

    Returns:
        [R, T] float64, row r for the (r + 1)-th return of each task; NaN where it has not returned
        so often. R is 0 where no task returns.
    """
    found = matrix.series()
    for number, task, before, again in matrix.returns:
        found[number, task] = matrix.accuracy[before, task] - matrix.accuracy[again - 1, task]
    return found


def relearning(matrix: Matrix, history: Sequence[Evaluation]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps that each return took to relearn the task, and the share that it saved.

    Ours, after Ebbinghaus 1885: the steps in turn v(j, r + 1) until the accuracy is back at L =
    a[v(j, r), j] less one point (0 where it was not lost); and 1 - those / the steps of turn f(j)
    until L. Steps are known to the interval of the evaluations within turns. A last turn that is
    shorter than the others is left out.

    Args:
        history: that the matrix is of.

    Returns:
        The steps, [R, T] float64: infinity where the turn ended first, NaN where the task has not
        returned so often. The savings, [R, T] float64: NaN also where one of the two turns did not
        reach L, and where the network before training was there.
    """
    places = {each.step: place for place, each in enumerate(history)}
    steps, savings = matrix.series(), matrix.series()

    def steps_in(row: int, task: int, level: float) -> float:
        start, end = (places[int(step)] for step in matrix.steps[row - 1 : row + 1])
        return steps_until(level, task, history[start : end + 1])

    for number, task, before, again in matrix.returns:
        if matrix.steps[again] - matrix.steps[again - 1] < turn_length(matrix):
            continue
        level = matrix.accuracy[before, task]
        steps[number, task] = later = steps_in(again, task, level)
        first = steps_in(matrix.turns[task][0], task, level)
        if 0 < first < math.inf and later < math.inf:
            savings[number, task] = 1 - later / first
    return steps, savings


def steps_until(level: float, task: int, turn: Sequence[Evaluation]) -> float:
    """Returns the steps of a turn until a task is back at an accuracy less one point.

    Args:
        turn: its evaluations, the one at its start first.

    Returns:
        Infinity where the turn ends before.
    """
    for evaluation in turn:
        if evaluation.accuracy[task] >= level - BACK - ROUNDING:
            return evaluation.step - turn[0].step
    return math.inf


def turn_length(matrix: Matrix) -> int:
    """Returns the steps of the first turn, and so of every turn but a shorter last one."""
    return int(matrix.steps[1] - matrix.steps[0])


def last_returns(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places in a series, [R, T], of each task's last return that is known."""
    returns = np.count_nonzero(~np.isnan(series), axis=0)
    tasks = np.flatnonzero(returns)
    return returns[tasks] - 1, tasks


def evaluation_interval(history: Sequence[Evaluation]) -> int | None:
    """Returns the most steps between two evaluations; None of a single evaluation.

    The lowest accuracies and the relearning steps depend on it.
    """
    steps = [each.step for each in history]
    return max((after - before for before, after in pairwise(steps)), default=None)


def measure(
    history: Sequence[Evaluation], schedule: Schedule, shared_head: bool
) -> dict[str, float | None]:
    """Returns the metrics of a run up to its last evaluation, by name; None: does not apply.

    All are shares, 0.01 is one point, but the relearning steps. Those of returns are means over
    the tasks, each at its last return. There a task that was not back by the end of its turn counts
    with the steps of the turn, so that the mean is a lower bound, unless `relearned`, the share of
    the tasks that were back, is 1. The savings are of the tasks that were.

    Args:
        history: of one evaluation at least.
        shared_head: whether the tasks share the output layer.
    """
    found = dict.fromkeys(METRICS) | {"average_accuracy": average_accuracy(history)}
    matrix = make_matrix(history, schedule)
    if matrix is None:
        return found
    lost = forgetting_per_return(matrix)
    steps, savings = relearning(matrix, history)
    last = last_returns(steps)
    return found | {
        "average_incremental_accuracy": average_incremental_accuracy(matrix),
        "forgetting": forgetting(matrix),
        "backward_transfer": backward_transfer(matrix),
        "forward_transfer": forward_transfer(matrix) if shared_head else None,
        "learning_accuracy": learning_accuracy(matrix),
        "first_learning_accuracy": first_learning_accuracy(matrix),
        "min_accuracy": min_accuracy(matrix),
        "worst_case_accuracy": worst_case_accuracy(matrix),
        "forgetting_per_return": mean_of_known(lost[last_returns(lost)]),
        "relearning_steps": mean_of_known(np.minimum(steps[last], turn_length(matrix))),
        "relearned": mean_of_known(np.isfinite(steps[last]).astype(float)),
        "savings": mean_of_known(savings[last]),
    }


def mean_of_known(values: np.ndarray) -> float | None:
    """Returns the mean of all values but NaNs; None where there are no others."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
