"""The report in words: a Markdown table of what came out, notes, and the figures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reports.gains import Gain, gains_of
from reports.groups import Group, mean_and_deviation, with_mean

HEADINGS = ("runs", "task", "seeds", "steps", "final, %", "best, %", "forgetting, %")
NUMBERS_FROM = 2  # the first column that is set to the right


def make_report(
    groups: Sequence[Group], table: str, notes: Sequence[str], files: Sequence[Path]
) -> str:
    """The whole of `report.md`, which is to lie beside the figures' files."""
    drawn = [group.first.drawn for group in groups]
    which = "All of it is" if all(drawn) else "Some of it, marked so, is"
    warning = f"**{which} on DRAWN DATA, which says nothing of real images.**"
    figures = [path for path in files if path.suffix == ".png"]
    parts = [
        "# Report",
        *([warning] if any(drawn) else []),
        table,
        "\n".join(f"- {escaped(note)}" for note in notes),
        *(f"![{path.stem.replace('_', ' ')}]({path.name})" for path in figures),
        "## Runs",
        "\n".join(row for group in groups for row in list_of_runs(group)),
    ]
    return "\n\n".join(parts) + "\n"


def make_table(groups: Sequence[Group]) -> tuple[str, list[str]]:
    """The table, and the notes that belong below it."""
    gains = gains_of(groups)
    headings = [*HEADINGS, *(["Δ, %"] if gains else [])]
    rows = [row for group in groups for row in rows_of(group, gains)]
    notes = [
        "test accuracy; final: at the last test; forgetting: best − final"
        + ("; mean ± sample standard deviation over the seeds" if several(groups) else "")
    ]
    notes += [note for group in groups for note in unfinished_notes(group)]
    if gains:
        notes.append(
            "Δ: mean over the tasks of (multi − single) / single of the final accuracy "
            "(Maninis et al. 2019, arXiv 1904.08918)"
        )
    return laid_out(headings, rows), notes + [gain.note for gain in gains.values()]


def several(groups: Sequence[Group]) -> bool:
    """Whether a group has more than one run that counts."""
    return any(len(group.counted) > 1 for group in groups)


def rows_of(group: Group, gains: dict[Group, Gain]) -> list[list[str]]:
    """A row for each task, and one for their mean where there are more than one."""
    runs = group.counted
    accuracies = [with_mean(run.accuracy) for run in runs]  # each [T, tasks + 1]
    # The mean's best is the mean of the tasks' bests, not the best mean.
    best = with_mean(np.array([run.accuracy.max(axis=0) for run in runs]))
    final = np.array([accuracy[-1] for accuracy in accuracies])
    columns = [mean_and_deviation(100 * values) for values in (final, best, best - final)]
    names = [*group.tasks, "**mean**"] if len(group.tasks) > 1 else group.tasks
    rows = []
    for index, name in enumerate(names):
        numbers = [plus_minus(mean[index], sd[index]) for mean, sd in columns]
        row = [group.label, name, str(len(runs)), steps_in_words(group), *numbers]
        if gains:
            gain = gains.get(group) if name == "**mean**" else None
            row.append(signed(gain.delta) if gain else "")
        rows.append(row)
    return rows


def steps_in_words(group: Group) -> str:
    """The steps after which the group is measured, and of how many where that is not all."""
    steps = min(run.last_step for run in group.counted)
    if any(run.finished for run in group.runs):
        return f"{steps:,}"
    planned = group.first.settings["max_steps"]
    return f"unfinished: {steps:,} of {planned:,} steps"


def unfinished_notes(group: Group) -> list[str]:
    """A note on each unfinished run, and on what it counts for."""
    if any(run.finished for run in group.runs):
        counts = "in the figures, not in the table"
    elif len(group.runs) > 1:
        counts = "no seed is finished: the table has the steps that all have"
    else:
        counts = "the table has what there is"
    return [f"`{run.folder}` is {run.progress} ({counts})" for run in group.unfinished]


def plus_minus(mean: float, deviation: float) -> str:
    """A percentage, with its deviation where there is one."""
    return f"{mean:.2f}" if np.isnan(deviation) else f"{mean:.2f} ± {deviation:.2f}"


def signed(share: float | None) -> str:
    """A share as a percentage with its sign; a dash for None."""
    return "–" if share is None else f"{100 * share:+.2f}"


def laid_out(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns stand in line as plain text too."""
    cells = [[escaped(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    rules = [
        "-" * width if column < NUMBERS_FROM else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    lines = []
    for row in (cells[0], rules, *cells[1:]):
        padded = [
            cell.ljust(width) if column < NUMBERS_FROM else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """The text in one line, with nothing in it that would end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def list_of_runs(group: Group) -> list[str]:
    """Where a group's runs are, with their tasks, which its label may leave out."""
    tasks = ", ".join(group.first.settings["tasks"])
    return [
        f"- {escaped(group.title)}, tasks {escaped(tasks)}:",
        *(f"  - seed {run.settings['seed']}: `{run.folder}`" for run in group.runs),
    ]
