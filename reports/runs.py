"""Runs, read back from their folders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from errors import RequestError
from reports.matrix import Matrix, make_matrix
from reports.summary import summarize
from runs.config import read_config
from runs.folder import SUMMARY, runs_below
from runs.history import METRICS, Evaluation, read_history
from settings import Settings
from tasks.schedule import Schedule, make_schedule

CHECKSUM_DIGITS = 8  # that labels show


@dataclass(frozen=True)
class Data:
    """A dataset that a run was trained and evaluated on."""

    train: int  # examples
    test: int
    sha256: str | None = None  # None: of a run of a version that wrote none

    def __str__(self) -> str:
        digits = f" ({self.sha256[:CHECKSUM_DIGITS]}…)" if self.sha256 else ""
        return f"{self.train}+{self.test}{digits}"


@dataclass(frozen=True, eq=False)
class Run:
    """A run with at least one evaluation."""

    folder: Path
    settings: Settings
    data: dict[str, Data]  # by the dataset's name
    history: list[Evaluation]
    has_summary: bool

    @property
    def seed(self) -> int:
        """The seed of everything random in the run."""
        return self.settings.training.seed

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks, in the order of the columns of `accuracy` and `loss`."""
        return self.settings.tasks.tasks

    @cached_property
    def steps(self) -> np.ndarray:
        """The number of steps done at each evaluation, [T] int64."""
        return np.array([each.step for each in self.history], np.int64)

    @cached_property
    def accuracy(self) -> np.ndarray:
        """Each task's test accuracy at each evaluation, [T, tasks] float64, 0 to 1."""
        return np.array([each.accuracy for each in self.history], np.float64)

    @cached_property
    def loss(self) -> np.ndarray:
        """Each task's mean cross-entropy at each evaluation, [T, tasks] float64, in nats.

        NaN where an older version wrote none.
        """
        missing = [np.nan] * len(self.task_names)
        return np.array([each.loss or missing for each in self.history], np.float64)

    @property
    def last_step(self) -> int:
        """The number of steps done at the last evaluation."""
        return self.history[-1].step

    @property
    def finished(self) -> bool:
        """Tells whether the run did all the steps that its settings name."""
        return self.has_summary and self.last_step >= self.settings.tasks.max_steps

    @property
    def progress(self) -> str:
        """The number of steps done, in words, with the reason why the run is unfinished."""
        if self.finished:
            return f"{self.last_step:,}"
        if self.last_step < self.settings.tasks.max_steps:
            return f"unfinished: {self.last_step:,} of {self.settings.tasks.max_steps:,} steps"
        return f"unfinished: no {SUMMARY} after {self.last_step:,} steps"

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The contents of `summary.json`, from the evaluations."""
        return summarize(self.history, self.settings, self.schedule)

    @cached_property
    def matrix(self) -> Matrix | None:
        """The accuracy matrix; None where it does not apply."""
        return make_matrix(self.history, self.schedule)

    @cached_property
    def schedule(self) -> Schedule:
        """The order of the tasks, up to the last evaluation."""
        return make_schedule(replace(self.settings.tasks, max_steps=self.last_step), self.seed)


def read_runs(folders: str | Path | Sequence[str | Path]) -> tuple[list[Run], list[Path]]:
    """Reads the runs in and below a folder or several, each once, in the order of naming.

    Returns:
        The runs, and the folders of those that are left out, as they have no evaluation yet.

    Raises:
        RequestError: a folder holds no run, a file in it is damaged, or no run has an evaluation.
    """
    found: dict[Path, Path] = {}
    for folder in [folders] if isinstance(folders, str | Path) else folders:
        for path in runs_below(Path(folder)):
            found.setdefault(path.resolve(), path)
    read = {folder: read_run(folder) for folder in found.values()}
    runs = with_checksums([run for run in read.values() if run])
    if not runs:
        raise RequestError(
            f"there is nothing to report: no run has a whole line in its {METRICS}; name a run "
            "that has been evaluated at least once"
        )
    return runs, [folder for folder, run in read.items() if run is None]


def read_run(folder: Path) -> Run | None:
    """Reads a run; returns None where it has not been evaluated yet."""
    config = read_config(folder)
    history = read_history(folder, len(config.settings.tasks.tasks))
    if not history:
        return None
    stored = config.stored.get("data") or {}  # which older runs lack
    sizes = ("train", "test")
    data = {
        name: Data(*(config.fact("data", name, size) for size in sizes), facts.get("sha256"))
        for name, facts in stored.items()
    }
    return Run(folder, applicable(config.settings), data, history, (folder / SUMMARY).is_file())


def with_checksums(runs: Sequence[Run]) -> list[Run]:
    """Returns the runs with a checksum for older runs that have none, from runs on as much data.

    Where those disagree, or there are none, it stays None.
    """
    known: dict[tuple[str, int, int], set[str]] = {}
    for run in runs:
        for name, data in run.data.items():
            if data.sha256:
                known.setdefault((name, data.train, data.test), set()).add(data.sha256)

    def completed(name: str, data: Data) -> Data:
        found = known.get((name, data.train, data.test), set())
        return replace(data, sha256=min(found)) if not data.sha256 and len(found) == 1 else data

    return [
        replace(run, data={name: completed(name, data) for name, data in run.data.items()})
        for run in runs
    ]


def applicable(settings: Settings) -> Settings:
    """Returns the settings with None for those that do not apply, where older runs had a value."""
    inapplicable = {
        "hidden_units": settings.network.network.count("fc") < 2,
        "task_time": settings.tasks.schedule != "cycle",
    }
    return settings.replace(**{name: None for name, without in inapplicable.items() if without})
