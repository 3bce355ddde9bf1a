"""Folders of runs written by hand, for the tests of reports."""

import json
from pathlib import Path

from reports.choice import DEFAULT, Choice
from reports.content import Table
from reports.gains import compare
from reports.groups import Group, group_runs
from reports.markdown import line_in_markdown
from reports.runs import read_runs
from reports.table import make_notes, make_overview
from runs.history import Evaluation
from settings import Settings

LONG_NAMES = [f"cifar100:large_man-made_outdoor_things_{n}" for n in range(20)]


def write_run(
    folder: Path,
    accuracies: list | None = None,
    finished: bool = True,
    data: dict | None = None,
    **settings: object,
) -> Path:
    """Writes a run's folder, and returns it.

    Args:
        accuracies: of each evaluation, every 100 steps, for each task; by default of two.
        data: of `config.json`.
        settings: as JSON, where they differ from those of a finished run on two tasks.
    """
    values = Settings().to_json() | {"task_time": 200, "heads": "shared"} | settings
    if accuracies is None:
        accuracies = [[0.1] * len(values["tasks"])] * 2
    values["max_steps"] = settings.get("max_steps", 100 * max(len(accuracies) - 1, 1))
    history = [
        Evaluation(100 * n, None, tuple(shares), (1.0,) * len(shares))
        for n, shares in enumerate(accuracies)
    ]
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"settings": values, "data": data}))
    (folder / "metrics.jsonl").write_text("".join(evaluation.line for evaluation in history))
    if finished:
        (folder / "summary.json").write_text("{}")
    return folder


def rising(tasks: int, evaluations: int) -> list[list[float]]:
    """Returns accuracies that rise, each task's in its own way."""
    return [
        [n / evaluations * (1 - task / tasks / 2) for task in range(tasks)]
        for n in range(evaluations)
    ]


def make_groups(folder: Path, *runs: dict) -> list[Group]:
    """Writes runs in `folder`, numbered by their seeds unless they have others, and groups them.

    Args:
        runs: the arguments of `write_run`.
    """
    folders = [write_run(folder / str(n), **{"seed": n} | run) for n, run in enumerate(runs)]
    return group_runs(read_runs(folders)[0])[0]


def cells(table: Table) -> list[list[str]]:
    """Returns the texts of a table's cells, without its headings."""
    return [[cell.text for cell in row] for row in table.rows]


def overview(groups: list[Group], choice: Choice = DEFAULT) -> Table:
    """Returns the table of the groups, compared with each other."""
    return make_overview(groups, compare(groups, groups), choice)


def notes_on(groups: list[Group], choice: Choice = DEFAULT) -> list[str]:
    """Returns the notes on the tables, in Markdown."""
    return list(map(line_in_markdown, make_notes(groups, compare(groups, groups), choice)))
