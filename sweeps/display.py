"""The terminal of a sweep: a table of the runs that are going, or a line at each start and end."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from command import is_terminal, one_line, printable
from errors import RequestError
from runs.config import read_config
from runs.display import percent
from runs.history import read_history
from sweeps.plan import Job, Status, counts, find_run, seconds_of_a_run
from sweeps.process import Outcome

# A job's turn, in a word.
STARTED = {Status.NEW: "started", Status.RESUME: "resumed", Status.ELSEWHERE: "waits"}


@dataclass
class Progress:
    """The progress of a run that is going."""

    job: Job
    folder: Path | None
    max_steps: int | None = None
    step: int = 0
    accuracy: float | None = None  # the mean over the tasks at the last evaluation, 0 to 1
    first: tuple[float, int] | None = None  # the time and the step when it was first seen

    def look(self) -> None:
        """Reads the run's folder, once there is one."""
        self.folder = self.folder or find_run(self.job.trial)
        try:
            if self.folder is None:
                return
            settings = read_config(self.folder).settings
            history = read_history(self.folder, len(settings.tasks.tasks))
        except RequestError:  # which the run itself reports
            return
        self.max_steps = settings.tasks.max_steps
        if history:
            self.step, self.accuracy = history[-1].step, history[-1].mean_accuracy
            self.first = self.first or (time.monotonic(), self.step)

    @property
    def time_left(self) -> str:
        """The time to the end at the speed so far; empty while that is unknown."""
        if self.first is None or self.step == self.first[1]:
            return ""
        seconds, steps = time.monotonic() - self.first[0], self.step - self.first[1]
        return in_words(seconds * (self.max_steps - self.step) / steps)


class Display:
    """Shows a sweep while it is going."""

    def __init__(self, total: int, quiet: bool) -> None:
        self.terminal, self.quiet = is_terminal(), quiet
        self.console = Console(highlight=False, force_terminal=self.terminal)
        self.running: dict[Job, Progress] = {}
        self.counts = {"done": 0, "failed": 0}
        self.total = total
        self.live: Live | None = None

    @contextmanager
    def going(self) -> Iterator[None]:
        """Shows the table while this is open, where the output is a terminal."""
        if self.quiet or not self.terminal:
            yield
            return
        with Live(self.table(), console=self.console, transient=True, auto_refresh=False) as live:
            self.live = live
            yield
        self.live = None

    def say(self, text: str, always: bool = False) -> None:
        """Prints a line, unless quiet."""
        if always or not self.quiet:
            self.console.print(Text(printable(text)), soft_wrap=True)

    def plan(self, jobs: Sequence[Job], at_once: int, engine: str) -> None:
        """Prints what is done, what is left, and how long that takes where runs have shown it."""
        seconds = seconds_of_a_run(jobs)
        left = sum(job.status is not Status.DONE for job in jobs)
        self.counts["done"] = len(jobs) - left
        about = ""
        if seconds is not None:
            about = f", about {in_words(seconds * math.ceil(left / at_once))}"
        self.say(f"{counts(jobs)}; {engine}{about}")

    def started(self, job: Job) -> None:
        """Shows that a run has begun or is resumed."""
        self.running[job] = Progress(job, job.folder)
        if not self.terminal:
            self.say(f"{STARTED[job.status]:8} {job.trial.label}")

    def ended(self, job: Job, outcome: Outcome, stopped: bool) -> None:
        """Shows the end of a run; a failure also when quiet."""
        if stopped and outcome.code:
            return
        progress = self.running.pop(job, None) or Progress(job, outcome.folder)
        progress.look()
        self.counts["failed" if outcome.code else "done"] += 1
        if outcome.code:
            self.say(f"failed   {job.trial.label}: {outcome.reason}", always=True)
        else:
            self.say(
                f"done     {job.trial.label}: mean test accuracy {percent(progress.accuracy)} %"
            )

    def refresh(self) -> None:
        """Reads the progress of the runs, and draws the table again."""
        if self.live is not None:
            for progress in list(self.running.values()):
                progress.look()
            self.live.update(self.table(), refresh=True)

    def table(self) -> Table:
        """Returns a row for each run that is going, and the counts below."""
        waiting = self.total - sum(self.counts.values()) - len(self.running)
        counts = {**self.counts, "running": len(self.running), "waiting": waiting}
        caption = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, caption=caption, caption_justify="left")
        table.add_column("run", overflow="fold")
        for name in ("step", "mean %", "time left"):
            table.add_column(name, justify="right", no_wrap=True)
        for progress in self.running.values():
            steps = f"{progress.step:,}/{progress.max_steps:,}" if progress.max_steps else "starts"
            accuracy = percent(progress.accuracy) if progress.accuracy is not None else ""
            label = Text(one_line(progress.job.trial.label))
            table.add_row(label, steps, accuracy, progress.time_left)
        return table


def in_words(seconds: float) -> str:
    """Returns a duration, rounded."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
