"""The report as Markdown: a table of final accuracies, notes, and the figures."""

from collections.abc import Sequence

import numpy as np

from escaping import markdown, markdown_code
from reports.gains import Gain, gains_of
from reports.groups import Group, drawn_data_warning, mean_and_deviation

QUANTITIES = {
    "final": "final, %",
    "best": "best, %",
    "forgetting": "forgetting, %",
    "forgetting_per_return": "per return, %",
    "drop_from_best": "drop from best, %",
}
DEFINITIONS = {
    "forgetting": (
        "forgetting: the highest accuracy at the end of a turn before the last − final "
        "(Chaudhry et al. 2018, arXiv 1801.10112)"
    ),
    "forgetting_per_return": (
        "per return: the forgetting from the end of a task's turn until its next, at its last "
        "return"
    ),
    "drop_from_best": "drop from best: best − final",
}
MEAN = "**mean**"
TEXT_COLUMNS = 2  # set to the left; those that follow, numbers, to the right


def make_report(
    groups: Sequence[Group],
    answers: Sequence[str],
    table: str,
    notes: Sequence[str],
    figures: Sequence[str],
) -> str:
    """Returns the text of `report.md`, which belongs beside the figures of these names.

    Args:
        answers: as text; the table and the notes are Markdown.
    """
    warning = drawn_data_warning(groups)
    runs = []
    for group in groups:
        tasks = ", ".join(group.settings.tasks.tasks)  # which the label may leave out
        runs.append(f"- {markdown(group.title)}, tasks {markdown(tasks)}:")
        runs += [f"  - seed {run.seed}: {markdown_code(str(run.folder))}" for run in group.runs]
    parts = [
        "# Report",
        *([f"**{warning}**"] if warning else []),
        *(["\n".join(f"- {markdown(answer)}" for answer in answers)] if answers else []),
        table,
        "\n".join(f"- {note}" for note in notes),
        *(f"![{name.replace('_', ' ')}]({name}.png)" for name in figures),
        "## Runs",
        "\n".join(runs),
    ]
    return "\n\n".join(parts) + "\n"


def make_table(groups: Sequence[Group]) -> tuple[str, list[str]]:
    """Returns, in Markdown, the table, and the notes that belong below it."""
    gains = gains_of(groups)
    quantities = quantities_of(groups)
    headings = ["runs", "task", "seeds", "steps", *(QUANTITIES[name] for name in quantities)]
    headings += ["Δ, %"] if gains else []
    rows = [row for group in groups for row in rows_of(group, quantities, gains)]
    several_seeds = any(len(group.counted) > 1 for group in groups)
    notes = [
        "test accuracy; final: at the last evaluation"
        + ("; mean ± sample standard deviation over the seeds" if several_seeds else "")
    ]
    notes += [DEFINITIONS[name] for name in quantities if name in DEFINITIONS]
    notes += [note for group in groups for note in unfinished_notes(group)]
    if gains:
        notes.append(
            "Δ: mean over the tasks of (multi − single) / single of the final accuracy "
            "(Maninis et al. 2019, arXiv 1904.08918)"
        )
    return aligned(headings, rows), notes + [gain.note for gain in gains.values()]


def quantities_of(groups: Sequence[Group]) -> list[str]:
    """Returns the quantities that have a column: those that apply to a run.

    The drop from best stands for the forgetting where there is a run that has none.
    """
    means = [run.summary["mean"] for group in groups for run in group.counted]
    applying = [name for name in QUANTITIES if any(mean[name] is not None for mean in means)]
    if all(mean["forgetting"] is not None for mean in means):
        applying.remove("drop_from_best")
    return applying


def rows_of(group: Group, quantities: Sequence[str], gains: dict[Group, Gain]) -> list[list[str]]:
    """Returns a row, in Markdown, for each task, and one for the mean over several tasks."""
    runs = group.counted
    values = []  # [runs, tasks + 1, quantities]
    for run in runs:
        measured = (*run.summary["tasks"], run.summary["mean"])
        values.append([[row[name] for name in quantities] for row in measured])
    mean, deviation = mean_and_deviation(100 * np.array(values, np.float64))
    names = [*map(markdown, group.tasks), *([MEAN] if len(group.tasks) > 1 else [])]
    rows = []
    for index, name in enumerate(names):
        numbers = list(map(number, mean[index], deviation[index]))
        row = [markdown(group.label), name, str(len(runs)), runs[0].progress, *numbers]
        if gains:
            gain = gains.get(group) if name == MEAN else None  # no task's name, as they are escaped
            row.append(signed(gain.delta) if gain else "")
        rows.append(row)
    return rows


def number(mean: float, deviation: float) -> str:
    """Returns a mean with its deviation, unless that is NaN; a dash for a mean that is NaN."""
    if np.isnan(mean):
        return "–"
    return f"{mean:.2f}" + ("" if np.isnan(deviation) else f" ± {deviation:.2f}")


def unfinished_notes(group: Group) -> list[str]:
    """Returns a note, in Markdown, on each unfinished run: its progress, and where it counts."""
    if len(group.unfinished) < len(group.runs):
        counted = "in the figures, not in the table"
    elif len(group.runs) > 1:
        counted = "no seed is finished: the table is of the steps that all have done"
    else:
        counted = "the table is of its last evaluation"
    folders = {run: markdown_code(str(run.folder)) for run in group.unfinished}
    return [f"{folder} is {run.progress} ({counted})" for run, folder in folders.items()]


def signed(share: float | None) -> str:
    """Returns a share as a percentage with its sign; a dash for None."""
    return "–" if share is None else f"{100 * share:+.2f}"


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table of cells in Markdown, whose columns are aligned as plain text too."""
    cells = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = ["<" if column < TEXT_COLUMNS else ">" for column in range(len(headings))]
    rules = [
        "-" * width if side == "<" else "-" * (width - 1) + ":"
        for side, width in zip(sides, widths, strict=True)
    ]
    lines = [
        [f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)]
        for row in (cells[0], rules, *cells[1:])
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
