"""The figure of forgetting per return over the rounds: the question is whether it shrinks."""

import warnings
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.choice import DEFAULT, Choice
from reports.figures import MAX_TASKS, MEAN, averaging
from reports.groups import Curves, Group, drawn_data_warning, mean_and_deviation
from reports.metrics import forgetting_per_return
from reports.style import WIDTH, add_legend, add_title, draw_line, set_axes

MIN_RETURNS = 2  # fewer show no change


def returns_of(group: Group, choice: Choice = DEFAULT) -> Curves | None:
    """Returns the forgetting per return of the tasks that are shown, against the returns from 1 on.

    Returns:
        None where no task returns so often that there is a change, or there is no matrix.
    """
    matrices = [run.matrix for run in group.counted]
    if None in matrices:
        return None
    lost = np.array([forgetting_per_return(matrix) for matrix in matrices])[
        :, :, choice.columns(group)
    ]
    if lost.shape[1] < MIN_RETURNS or np.isnan(lost).all(axis=(0, 2)).any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a return that a seed has not reached
        lost = np.concatenate([lost, np.nanmean(lost, axis=2, keepdims=True)], axis=2)
    runs = np.count_nonzero(~np.isnan(lost[..., -1:]), axis=0)
    return Curves(np.arange(1, lost.shape[1] + 1), *mean_and_deviation(lost), runs)


def returning(groups: Sequence[Group], choice: Choice) -> list[Group]:
    """Returns the groups whose tasks return often enough."""
    return [group for group in groups if returns_of(group, choice) is not None]


def draw_returns(groups: Sequence[Group], choice: Choice = DEFAULT) -> Figure:
    """Draws a line for each of several groups, or for each task of one, if these are few.

    Args:
        groups: as `returning` returns them.
    """
    curves = [returns_of(group, choice) for group in groups]
    columns = range(len(choice.columns(groups[0])))
    of_tasks = len(groups) == 1 and len(columns) <= MAX_TASKS
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    if of_tasks:
        lines = [(curves[0], column) for column in columns]
        names = [groups[0].tasks[index] for index in choice.columns(groups[0])]
    else:
        lines = [(each, -1) for each in curves]
        names = [group.title for group in groups]
    for index, (each, column) in enumerate(lines):
        draw_line(axes, each, column, index, choice.band)
    axes.autoscale(axis="y")
    low, high = axes.get_ylim()
    right = max(each.x[-1] for each in curves)
    set_axes(axes, right)
    margin = 0.03 * (right - 1)
    axes.set_xlim(1 - margin, right + margin)
    axes.set_ylim(min(low, 0), high)
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0.9)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel("forgetting per return, points")
    axes.set_xlabel("return of the task")
    add_legend(figure, names)
    add_title(
        figure,
        drawn_data_warning(groups),
        "Forgetting per return"
        + (f": {groups[0].title}" if len(groups) == 1 else "")
        + ("" if of_tasks else f", {MEAN}"),
        "accuracy at the end of a task's turn − just before its next turn",
        averaging(groups, choice),
    )
    return figure
