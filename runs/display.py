"""What a run says on the terminal: what will run, how far it is, and what came of it."""

import time
from collections.abc import Iterator
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

from terminal import is_terminal

# Wide enough that nothing is folded where the output is no terminal.
FILE_WIDTH = 1_000


class Display:
    """A progress bar on a terminal, plain lines elsewhere, and the final table alone when quiet."""

    def __init__(self, quiet: bool, task_names: list[str]) -> None:
        terminal = is_terminal()
        self.console = Console(
            highlight=False, force_terminal=terminal, width=None if terminal else FILE_WIDTH
        )
        self.live = terminal and not quiet
        self.plain = not terminal and not quiet
        self.quiet = quiet
        self.max_steps = 0  # known once training begins
        self.labels = labels(task_names)
        self.bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            StepsPerSecond(),
            TimeRemainingColumn(),
            expand=True,
        )
        self.bar_task = self.bar.add_task(self.labels[0], total=None)
        self.accuracies = Text()
        self.last_line = (0, time.monotonic())  # the step of the last line, and when it was

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """Shows what is being done while this is open, where the output is a terminal."""
        with self.console.status(doing) if self.live else nullcontext():
            yield

    def announce(self, rows: list[tuple[str, str]]) -> None:
        """Prints what will run: a row for each label and its text."""
        if self.quiet:
            return
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
        """Shows how far the training is while this is open, where the output is a terminal."""
        self.max_steps = max_steps
        self.last_line = (step, time.monotonic())
        self.bar.update(self.bar_task, completed=step, total=max_steps)
        if not self.live:
            yield
            return
        with Live(Group(self.bar, self.accuracies), console=self.console, transient=True):
            yield

    def progress(self, step: int, trained: tuple[int, ...]) -> None:
        """Shows that `step` steps are done, the last of them on those tasks."""
        label = self.labels[trained[0]] if len(trained) == 1 else "all tasks"
        self.bar.update(self.bar_task, completed=step, description=label)

    def test(self, test: dict) -> None:
        """Shows a test, a dict as in `metrics.jsonl`."""
        accuracies = "  ".join(
            f"{name} {percent(accuracy)}"
            for name, accuracy in zip(self.labels, test["accuracy"], strict=True)
        )
        # A Text's own method, so that the bar's thread never sees it half changed.
        self.accuracies.plain = f"tested at {test['step']:,}, %:  {accuracies}"
        if self.plain:
            print(self.line(test, accuracies), flush=True)

    def line(self, test: dict, accuracies: str) -> str:
        """A test as a plain line."""
        step, (last_step, last_time) = test["step"], self.last_line
        now = time.monotonic()
        self.last_line = step, now
        trained = "" if test["trained"] is None else f"  trained {self.labels[test['trained']]}"
        done = step - last_step
        speed = f"  {done / (now - last_time):.0f} steps/s" if done else ""
        mean = percent(test["mean_accuracy"])
        return f"step {step}/{self.max_steps}{trained}  test %: {accuracies}  mean {mean}{speed}"

    def results(self, summary: dict, drawn: bool) -> None:
        """Prints the final table, out of what `metrics.summarize` says of real or drawn data."""
        quantities = ("best", "final", "at_last_switch", "forgetting")
        table = Table(
            title="test accuracy, %, on drawn data" if drawn else "test accuracy, %",
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 0, 0, 1),
        )
        table.add_column("task", overflow="fold")
        for quantity in quantities:
            words = quantity.split("_")
            table.add_column(" ".join(words), justify="right", min_width=max(map(len, words)))
        rows = zip((*self.labels, "mean"), (*summary["tasks"], summary["mean"]), strict=True)
        for label, row in rows:
            table.add_row(label, *(percent(row[quantity]) for quantity in quantities))
        self.console.print(table)

    def say(self, message: str) -> None:
        """Prints a line, unless quiet."""
        if not self.quiet:
            self.console.print(Text(message), soft_wrap=True)

    def stopped(self, step: int, command: str) -> None:
        """Says, quiet or not, that the training was stopped, and how to go on."""
        message = f"stopped after {step:,} steps; go on with: {command}"
        self.console.print(Text(message), soft_wrap=True)


class StepsPerSecond(ProgressColumn):
    """The speed of late, tests included."""

    def render(self, task: Task) -> Text:
        """The column's text; empty before there is a speed."""
        return Text(f"{task.speed:.0f} steps/s" if task.speed else "")


def labels(task_names: list[str]) -> list[str]:
    """What to call each task: its name, and its index too where another has the same name."""
    return [
        f"{name} ({index})" if task_names.count(name) > 1 else name
        for index, name in enumerate(task_names)
    ]


def percent(share: float | None) -> str:
    """A share as a percentage with two digits; a dash for None."""
    return "–" if share is None else f"{100 * share:.2f}"
