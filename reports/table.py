"""The report as Markdown: a table of final accuracies, notes, and the figures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reports.gains import Gain, gains_of
from reports.groups import Group, mean_and_deviation
from reports.metrics import summarize
from reports.runs import Run

QUANTITIES = {"final": "final, %", "best": "best, %", "drop_from_best": "drop from best, %"}
HEADINGS = ("runs", "task", "seeds", "steps", *QUANTITIES.values())
TEXT_COLUMNS = 2  # set to the left; those that follow, numbers, to the right


def make_report(
    groups: Sequence[Group], table: str, notes: Sequence[str], files: Sequence[Path]
) -> str:
    """Returns the text of `report.md`, which belongs beside the figures' files."""
    drawn = [group.first.settings.data.fake_data for group in groups]
    which = "All of it is" if all(drawn) else "Some of it, marked so, is"
    warning = f"**{which} on DRAWN DATA, which says nothing about real images.**"
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
    """Returns the table, and the notes that belong below it."""
    gains = gains_of(groups)
    headings = [*HEADINGS, *(["Δ, %"] if gains else [])]
    rows = [row for group in groups for row in rows_of(group, gains)]
    several_seeds = any(len(group.counted) > 1 for group in groups)
    notes = [
        "test accuracy; final: at the last evaluation; drop from best: best − final"
        + ("; mean ± sample standard deviation over the seeds" if several_seeds else "")
    ]
    notes += [note for group in groups for note in unfinished_notes(group)]
    if gains:
        notes.append(
            "Δ: mean over the tasks of (multi − single) / single of the final accuracy "
            "(Maninis et al. 2019, arXiv 1904.08918)"
        )
    return aligned(headings, rows), notes + [gain.note for gain in gains.values()]


def rows_of(group: Group, gains: dict[Group, Gain]) -> list[list[str]]:
    """Returns a row for each task, and one for the mean over several tasks."""
    runs = group.counted
    mean, deviation = mean_and_deviation(100 * np.array([measured(run) for run in runs]))
    names = [*group.tasks, "**mean**"] if len(group.tasks) > 1 else group.tasks
    rows = []
    for index, name in enumerate(names):
        numbers = map(plus_minus, mean[index], deviation[index])
        row = [group.label, name, str(len(runs)), steps_in_words(group), *numbers]
        if gains:
            gain = gains.get(group) if name == "**mean**" else None
            row.append(signed(gain.delta) if gain else "")
        rows.append(row)
    return rows


def measured(run: Run) -> list[list[float]]:
    """Returns the quantities of each task, and last of their mean, [tasks + 1, quantities]."""
    summary = summarize(run.history, run.settings.tasks.tasks, run.schedule.switches)
    return [[row[name] for name in QUANTITIES] for row in (*summary["tasks"], summary["mean"])]


def steps_in_words(group: Group) -> str:
    """Returns the steps after which the group is measured, and the steps that were planned."""
    steps = min(run.last_step for run in group.counted)
    if any(run.finished for run in group.runs):
        return f"{steps:,}"
    return f"unfinished: {steps:,} of {group.first.settings.tasks.max_steps:,} steps"


def unfinished_notes(group: Group) -> list[str]:
    """Returns a note on each unfinished run: its progress, and where it is counted."""
    if any(run.finished for run in group.runs):
        counted = "in the figures, not in the table"
    elif len(group.runs) > 1:
        counted = "no seed is finished: the table is of the steps that all have done"
    else:
        counted = "the table is of its last evaluation"
    return [f"`{run.folder}` is {run.progress} ({counted})" for run in group.unfinished]


def plus_minus(mean: float, deviation: float) -> str:
    """Returns a percentage, with its deviation unless that is NaN."""
    return f"{mean:.2f}" if np.isnan(deviation) else f"{mean:.2f} ± {deviation:.2f}"


def signed(share: float | None) -> str:
    """Returns a share as a percentage with its sign; a dash for None."""
    return "–" if share is None else f"{100 * share:+.2f}"


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table whose columns are aligned as plain text too."""
    cells = [[escaped(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    rules = [
        "-" * width if column < TEXT_COLUMNS else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    lines = []
    for row in (cells[0], rules, *cells[1:]):
        padded = [
            cell.ljust(width) if column < TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Returns the text in one line, with nothing in it that would end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def list_of_runs(group: Group) -> list[str]:
    """Returns lines with a group's tasks, which its label may leave out, and its runs' folders."""
    tasks = ", ".join(group.first.settings.tasks.tasks)
    return [
        f"- {escaped(group.title)}, tasks {escaped(tasks)}:",
        *(f"  - seed {run.seed}: `{run.folder}`" for run in group.runs),
    ]
