"""The results as CSV, for other programs: a row for each run, and one for each group."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from statistics import stdev

from command import one_line, printable
from reports.groups import Group, identity
from reports.metrics import METRICS
from reports.runs import Run
from reports.statistics import interval

# A spreadsheet takes a text that begins so for a formula.
FORMULA = ("=", "+", "-", "@")
STATISTICS = ("n", "mean", "sd", "se", "ci95_low", "ci95_high")


def results_csv(groups: Sequence[Group]) -> str:
    """Returns the contents of `results.csv`: a row for each run.

    The columns are its folder, the group's label, its settings and data, its progress, each task's
    final accuracy and the metrics. Shares are from 0 to 1, in full precision; an empty field does
    not apply.
    """
    settings = settings_of(groups)
    tasks = tasks_of(groups)
    rows = [["folder", "group", "seed", *settings, "finished", "steps", *finals(tasks), *METRICS]]
    for group in groups:
        for run in group.runs:
            facts, values = identity(run), values_of(run, group)
            rows.append(
                [
                    *(printable(str(run.folder)), group.label, run.seed),
                    *(plain(facts.get(name)) for name in settings),
                    *(plain(run.finished), run.last_step),
                    *(values.get(name) for name in (*finals(tasks), *METRICS)),
                ]
            )
    return to_csv(rows)


def summary_csv(groups: Sequence[Group]) -> str:
    """Returns the contents of `summary.csv`: a row for each group, of the runs that count.

    Of each task's final accuracy and each metric there are the number of the runs to which it
    applies, the mean, the sample standard deviation, the standard error, and the ends of the 95 %
    interval by Student's t. Numbers are as in `results.csv`; there is no deviation of one run.
    """
    settings = settings_of(groups)
    names = (*finals(tasks_of(groups)), *METRICS)
    rows = [["group", *settings, "n", *(f"{name}_{each}" for name in names for each in STATISTICS)]]
    for group in groups:
        facts = identity(group.runs[0])
        measured = [values_of(run, group) for run in group.counted]
        row = [group.label, *(plain(facts.get(name)) for name in settings), len(measured)]
        for name in names:
            row += statistics([each[name] for each in measured if each.get(name) is not None])
        rows.append(row)
    return to_csv(rows)


def settings_of(groups: Sequence[Group]) -> list[str]:
    """Returns the names of the settings and data that the groups' results follow from."""
    return list(dict.fromkeys(name for group in groups for name in identity(group.runs[0])))


def tasks_of(groups: Sequence[Group]) -> list[str]:
    """Returns the labels of the tasks of all groups, each once."""
    return list(dict.fromkeys(task for group in groups for task in group.tasks))


def finals(tasks: Iterable[str]) -> list[str]:
    """Returns the names of the columns of the tasks' final accuracies."""
    return [f"final {task}" for task in tasks]


def values_of(run: Run, group: Group) -> dict[str, float | None]:
    """Returns each task's final accuracy and the metrics of a run, by column."""
    last = run.history[-1].accuracy
    return dict(zip(finals(group.tasks), last, strict=True)) | run.summary["metrics"]


def statistics(values: Sequence[float]) -> list[float | None]:
    """Returns the fields of STATISTICS; None where there are too few values."""
    if not values:
        return [0, *[None] * 5]
    mean, low, high = interval(values)
    deviation = stdev(values) if len(values) > 1 else math.nan
    found = [mean, deviation, deviation / math.sqrt(len(values)), low, high]
    return [len(values), *(None if math.isnan(each) else each for each in found)]


def plain(value: object) -> object:
    """Returns a setting's value as a field: a list as its items with spaces between them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return value if isinstance(value, int | float | None) else str(value)


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """Returns rows as CSV by RFC 4180, in which no text is a formula or ends its line."""
    file = io.StringIO()
    csv.writer(file).writerows([safe(field) for field in row] for row in rows)
    return file.getvalue()


def safe(field: object) -> object:
    """Returns a text in one printable line, with an apostrophe where it begins a formula."""
    if not isinstance(field, str):
        return field
    line = one_line(field)
    return f"'{line}" if line.startswith(FORMULA) else line
