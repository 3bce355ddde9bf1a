"""The tables of a report: a row for each group, and one for each task of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reports.choice import Choice, tasks_shown
from reports.content import Cell, Code, Line, Table
from reports.gains import Comparisons
from reports.groups import Group, mean_and_deviation
from reports.quantities import QUANTITIES, Quantity

# More tasks have no column each in the table of the groups.
MAX_TASKS = 6
# The columns of a task, in percent.
OF_TASK = {
    "final": "final, %",
    "best": "best, %",
    "forgetting": "forgetting, %",
    "forgetting_per_return": "per return, %",
    "drop_from_best": "drop from best, %",
}
MEAN = "mean"
GAIN = "Δ: mean over the tasks of (multi − single) / single of the final accuracy (Maninis et al. "
GAIN += "2019, arXiv 1904.08918)"
MISSED = (
    "intransigence: mean over the tasks of the final accuracy of a reference − that at the end of "
    "the first turn (Chaudhry et al. 2018, arXiv 1801.10112); the reference is joint training "
    "where a note names it, else the runs with which Δ compares"
)


@dataclass
class Column:
    """A column of numbers in the table of the groups."""

    heading: str
    values: list[list[float]] = field(default_factory=list)  # of each group's runs
    lowest_is_best: bool = False
    signed: bool = False


def make_overview(groups: Sequence[Group], comparisons: Comparisons, choice: Choice) -> Table:
    """Returns the table with a row for each group: its metrics, and each task's final accuracy."""
    columns = columns_of(groups, comparisons, choice)
    kinds = [comparable(group) for group in groups]
    best = [best_rows(column, kinds) for column in columns]
    rows = []
    for index, group in enumerate(groups):
        row = [Cell(group.label), seeds_cell(group), progress_cell(group)]
        row += [
            measured_cell(column.values[index], index in found, column.signed)
            for column, found in zip(columns, best, strict=True)
        ]
        rows.append(row)
    return Table(["runs", "seeds", "steps", *(column.heading for column in columns)], rows)


def columns_of(groups: Sequence[Group], comparisons: Comparisons, choice: Choice) -> list[Column]:
    """Returns the columns of numbers that apply to a group."""
    gains = [comparisons.gains.get(group) for group in groups]
    missed = [comparisons.missed.get(group) for group in groups]
    columns = [
        *(
            Column(each.heading, values_of(each, groups), each.low_is_good)
            for each in choice.quantities
        ),
        Column("intransigence, %", [percent(each.shares) if each else [] for each in missed], True),
        Column("Δ, %", [percent([each.delta]) if each else [] for each in gains], signed=True),
    ]
    return [column for column in columns if any(column.values)] + finals_of(groups, choice)


def percent(shares: Sequence[float | None]) -> list[float]:
    """Returns the shares that are known in percent."""
    return [100 * share for share in shares if share is not None]


def values_of(quantity: Quantity, groups: Sequence[Group]) -> list[list[float]]:
    """Returns a quantity of each group's runs that count, where it applies."""
    measured = [[quantity.of(run) for run in group.counted] for group in groups]
    return [[value for value in values if value is not None] for values in measured]


def finals_of(groups: Sequence[Group], choice: Choice) -> list[Column]:
    """Returns a column of final accuracies for each task that is shown, if these are few."""
    names = tasks_shown(groups, choice)
    several = any(len(group.tasks) > 1 for group in groups)
    columns = {name: Column(f"final {name}, %") for name in names}
    if not 0 < len(names) <= MAX_TASKS or not several:
        return []
    for name, column in columns.items():
        for group in groups:
            tasks = [group.tasks.index(name)] if name in group.tasks else []
            column.values.append(
                [100 * run.history[-1].accuracy[task] for task in tasks for run in group.counted]
            )
    return list(columns.values())


def comparable(group: Group) -> object:
    """Returns a key that is equal for groups of which one may be the best.

    No accuracy is compared with that on other tasks, on drawn data, or of an unfinished run.
    """
    if len(group.unfinished) == len(group.runs):
        return group
    return group.settings.data.fake_data, tuple(sorted(group.settings.tasks.tasks))


def best_rows(column: Column, kinds: Sequence[object]) -> set[int]:
    """Returns the indices of the groups that are the best of several comparable ones."""
    means = [np.mean(values) if values else np.nan for values in column.values]
    shown = [float(number_in_words(mean)) for mean in means]  # of which equal ones are as good
    found = set()
    for kind in set(kinds):
        rows = [i for i, each in enumerate(kinds) if each == kind and not np.isnan(shown[i])]
        of_kind = {shown[row] for row in rows}
        if len(of_kind) > 1:
            best = min(of_kind) if column.lowest_is_best else max(of_kind)
            found |= {row for row in rows if shown[row] == best}
    return found


def make_task_table(groups: Sequence[Group], choice: Choice) -> Table:
    """Returns the table with a row for each task of each group."""
    quantities = quantities_of(groups)
    rows = [row for group in groups for row in rows_of(group, quantities, choice)]
    headings = ["runs", "task", *(OF_TASK[name] for name in quantities)]
    return Table(headings, rows, text_columns=2)


def quantities_of(groups: Sequence[Group]) -> list[str]:
    """Returns the quantities that have a column: those that apply to a run.

    The drop from best stands for the forgetting where there is a run that has none.
    """
    means = [run.summary["mean"] for group in groups for run in group.counted]
    applying = [name for name in OF_TASK if any(mean[name] is not None for mean in means)]
    if all(mean["forgetting"] is not None for mean in means):
        applying.remove("drop_from_best")
    return applying


def rows_of(group: Group, quantities: Sequence[str], choice: Choice) -> list[list[Cell]]:
    """Returns a row for each task that is shown, and one for the mean over several tasks."""
    columns = choice.columns(group)
    found: list[tuple[str, list[dict[str, Any]]]] = [
        (group.tasks[index], [run.summary["tasks"][index] for run in group.counted])
        for index in columns
    ]
    if len(group.tasks) > 1:
        found.append((MEAN, [run.summary["mean"] for run in group.counted]))
    rows = []
    for name, measured in found:
        numbers = [percent([each[key] for each in measured]) for key in quantities]
        rows.append([Cell(group.label), Cell(name), *map(measured_cell, numbers)])
    return rows


def seeds_cell(group: Group) -> Cell:
    """Returns the number of the runs that count."""
    return Cell(str(len(group.counted)), len(group.counted))


def progress_cell(group: Group) -> Cell:
    """Returns the steps of the runs that count, and whether they are finished."""
    run = group.counted[0]
    return Cell(run.progress, run.last_step)


def measured_cell(values: Sequence[float], best: bool = False, signed: bool = False) -> Cell:
    """Returns the mean with the deviation, if there is one; a dash without values."""
    if not values:
        return Cell("–")
    mean, deviation = mean_and_deviation(np.array(values))
    text = number_in_words(mean, "+" * signed)
    text += "" if np.isnan(deviation) else f" ± {number_in_words(deviation)}"
    return Cell(text, float(mean), best)


def number_in_words(number: float, sign: str = "") -> str:
    """Returns a number as it is shown."""
    return f"{round(number, 2) + 0.0:{sign}.2f}"  # no -0.00


def make_notes(groups: Sequence[Group], comparisons: Comparisons, choice: Choice) -> list[Line]:
    """Returns the notes on what is in the tables."""
    runs = [run for group in groups for run in group.counted]
    named = {*choice.quantities, *(QUANTITIES.get(name) for name in quantities_of(groups))}
    shown = [
        each
        for each in QUANTITIES.values()
        if each in named and any(each.of(run) is not None for run in runs)
    ]
    several = any(len(group.counted) > 1 for group in groups)
    deviation = "; mean ± sample standard deviation over the seeds" if several else ""
    notes: list[Line] = [(f"test accuracy; final: at the last evaluation{deviation}",)]
    notes += [(f"{quantity.words}: {quantity.definition}",) for quantity in shown]
    if any(quantity.sampled for quantity in shown):
        most = max(run.summary["evaluation_interval"] or 0 for run in runs)
        notes.append((f"evaluations were up to {most:,} steps apart, on which this depends",))
    if "drop_from_best" in quantities_of(groups):
        notes.append(("drop from best: best − final, of all evaluations",))
    notes += [note for group in groups for note in unfinished_notes(group)]
    gains = [comparisons.gains[group] for group in groups if group in comparisons.gains]
    missed = [comparisons.missed[group] for group in groups if group in comparisons.missed]
    notes += [(GAIN,)] if gains else []
    notes += [gain.note for gain in gains]
    notes += [(MISSED,)] if missed else []
    return notes + [each.note for each in missed if each.note]


def unfinished_notes(group: Group) -> list[Line]:
    """Returns a note on each unfinished run: its progress, and where it counts."""
    if len(group.unfinished) < len(group.runs):
        counted = "in the figures, not in the tables"
    elif len(group.runs) > 1:
        counted = "no seed is finished: the tables are of the steps that all have done"
    else:
        counted = "the tables are of its last evaluation"
    return [(Code(run.folder), f" is {run.progress} ({counted})") for run in group.unfinished]
