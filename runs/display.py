"""The terminal of a run: its announcement, a progress bar or lines, and the final table."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from command import is_terminal, one_line, printable
from runs.history import Evaluation
from tasks.task import task_labels

# Columns. Nothing is folded where the output is no terminal.
FILE_WIDTH = 1_000
# Characters of a plain line: with many tasks it names only the first.
MAX_LINE = 199
# Columns between two of the final table, and those of its labels where they have to be folded.
GAP = 2
MIN_LABEL = 8
# What the final table shows of each task, and of the run below it, by the keys of `summary.json`.
COLUMNS = ("best", "final", "at_last_switch", "forgetting")
METRICS = {
    "average_accuracy": "average accuracy",
    "forgetting": "forgetting",
    "forgetting_per_return": "forgetting at the last return",
}


class Display:
    """A progress bar on a terminal, plain lines elsewhere, and the final table alone when quiet."""

    def __init__(self, quiet: bool, task_names: Sequence[str]) -> None:
        terminal = is_terminal()
        self.console = Console(
            highlight=False, force_terminal=terminal, width=None if terminal else FILE_WIDTH
        )
        self.live = terminal and not quiet
        self.plain = not terminal and not quiet
        self.quiet = quiet
        self.max_steps = 0  # known once training begins
        self.labels = task_labels(task_names)
        self.bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            StepsPerSecond(),
            TimeRemainingColumn(),
            expand=True,
        )
        self.bar_task = self.bar.add_task(self.labels[0], total=None)
        self.accuracies = Text()
        self.last_line = (0, time.monotonic())  # its step, and its time in seconds

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """Shows an activity while this is open, where the output is a terminal."""
        with self.console.status(doing) if self.live else nullcontext():
            yield

    def announce(self, rows: list[tuple[str, str]]) -> None:
        """Prints the rows that announce a run."""
        if self.quiet:
            return
        rows = [(label, one_line(text)) for label, text in rows]
        if self.plain:
            print(*(f"{label:8}  {text}" for label, text in rows), "", sep="\n")
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold")
        grid.add_column(overflow="fold")
        for label, text in rows:
            grid.add_row(label, Text(text))
        self.console.print(grid, "")

    @contextmanager
    def training(self, step: int, max_steps: int) -> Iterator[None]:
        """Shows the progress bar while this is open, where the output is a terminal."""
        self.max_steps = max_steps
        self.last_line = (step, time.monotonic())
        self.bar.update(self.bar_task, completed=step, total=max_steps)
        if not self.live:
            yield
            return
        with Live(Group(self.bar, self.accuracies), console=self.console, transient=True):
            yield

    def progress(self, step: int, trained: tuple[int, ...]) -> None:
        """Shows that `step` steps are done, the last of which trained those tasks."""
        label = self.labels[trained[0]] if len(trained) == 1 else "all tasks"
        self.bar.update(self.bar_task, completed=step, description=label)

    def evaluation(self, evaluation: Evaluation) -> None:
        """Shows an evaluation of all tasks."""
        shares = zip(self.labels, evaluation.accuracy, strict=True)
        accuracies = [f"{name} {percent(accuracy)}" for name, accuracy in shares]
        # A Text's own method, so that the bar's thread never sees it half changed.
        self.accuracies.plain = f"evaluated at {evaluation.step:,}, %:  {'  '.join(accuracies)}"
        if self.plain:
            print(self.line(evaluation, accuracies), flush=True)

    def line(self, evaluation: Evaluation, accuracies: Sequence[str]) -> str:
        """Returns an evaluation as a plain line."""
        step, (last_step, last_time) = evaluation.step, self.last_line
        now = time.monotonic()
        self.last_line = step, now
        task = evaluation.trained
        trained = "" if task is None else f"  trained {self.labels[task]}"
        done = step - last_step
        speed = f"  {done / (now - last_time):.0f} steps/s" if done else ""
        start = f"step {step}/{self.max_steps}{trained}  test %: "
        end = f"  mean {percent(evaluation.mean_accuracy)}{speed}"
        return f"{start}{fitting(accuracies, MAX_LINE - len(start) - len(end))}{end}"

    def results(self, summary: dict, drawn: bool) -> None:
        """Prints the final table and metrics, from a summary, of real or drawn data."""
        title = "test accuracy, %, on drawn data" if drawn else "test accuracy, %"
        headings = ["task", *(quantity.replace("_", " ") for quantity in COLUMNS)]
        measured = zip((*self.labels, "mean"), (*summary["tasks"], summary["mean"]), strict=True)
        rows = [
            [label, *(percent(row[quantity]) for quantity in COLUMNS)] for label, row in measured
        ]
        widths = column_widths(headings, rows, self.console.width)
        if widths:
            self.console.print(results_table(title, headings, rows, widths))
        else:
            self.console.print(Text(title, style="italic"))
            for row in rows:
                self.console.print(Text(row[0], style="bold"))
                for heading, number in zip(headings[1:], row[1:], strict=True):
                    self.console.print(Text(f"{heading} {number}"))
        metrics = [f"{name} {percent(summary['metrics'][key])}" for key, name in METRICS.items()]
        joined = "  ".join(metrics)
        for line in [joined] if len(joined) <= self.console.width else metrics:
            self.console.print(Text(line))

    def say(self, message: str) -> None:
        """Prints a line, unless quiet."""
        if not self.quiet:
            self.console.print(Text(printable(message)), soft_wrap=True)

    def stopped(self, step: int, command: str) -> None:
        """Prints, quiet or not, that the training was stopped, and the command to resume it."""
        message = f"stopped after {step:,} steps; resume with: {command}"
        self.console.print(Text(printable(message)), soft_wrap=True)


class StepsPerSecond(ProgressColumn):
    """The recent speed, evaluations included."""

    def render(self, task: Task) -> Text:
        """Returns the column's text; empty before there is a speed."""
        return Text(f"{task.speed:.0f} steps/s" if task.speed else "")


def column_widths(
    headings: Sequence[str], rows: Sequence[Sequence[str]], room: int
) -> list[int] | None:
    """Returns the widths of the final table's columns; None where there is no room for it.

    The headings are folded where they have to be, and then the labels: rich would cut numbers.
    """
    columns = list(zip(headings, *rows, strict=True))
    label, *whole = [max(map(len, column)) for column in columns]
    folded = [max(map(len, (*heading.split(), *numbers))) for heading, *numbers in columns[1:]]
    for widths in (whole, folded):
        rest = room - sum(widths) - GAP * len(widths)
        if rest >= label:
            return [label, *widths]
    return [rest, *folded] if rest >= MIN_LABEL else None


def results_table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> Table:
    """Returns the final table, a label and numbers in each row, with columns of these widths."""
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column(headings[0], overflow="fold", width=widths[0])
    for heading, width in zip(headings[1:], widths[1:], strict=True):
        table.add_column(heading, justify="right", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def fitting(accuracies: Sequence[str], room: int) -> str:
    """Joins the accuracies; where they exceed the room, the first of them and a count."""
    text = "  ".join(accuracies)
    shown = len(accuracies)
    while len(text) > room and shown > 1:
        shown -= 1
        text = "  ".join([*accuracies[:shown], f"and {len(accuracies) - shown} more"])
    return text


def percent(share: float | None) -> str:
    """Returns a share as a percentage with two digits; a dash for None."""
    return "–" if share is None else f"{100 * share:.2f}"
