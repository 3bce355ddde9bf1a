"""Runs, read back from their folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from errors import RequestError
from escaping import markdown_code
from runs.config import CONFIG, config_errors, read_config
from runs.folder import SUMMARY, runs_below
from runs.history import METRICS, Evaluation, read_history
from settings import Settings, TaskSettings
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
    def schedule(self) -> Schedule:
        """The order of the tasks, up to the last evaluation."""
        return make_schedule(replace(self.settings.tasks, max_steps=self.last_step), self.seed)


def read_runs(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Reads the runs in and below the folders, each once, in the order of naming.

    Returns:
        The runs, and notes in Markdown on those that are left out.

    Raises:
        RequestError: a folder holds no run, a file in it is damaged, or no run has an evaluation.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        for path in runs_below(folder):
            found.setdefault(path.resolve(), path)
    read = {folder: read_run(folder) for folder in found.values()}
    runs = with_checksums([run for run in read.values() if run])
    if not runs:
        raise RequestError(
            f"there is nothing to report: no run has a whole line in its {METRICS}; name a run "
            "that has been evaluated at least once"
        )
    return runs, [
        f"left out: {markdown_code(str(folder))} has no evaluation yet, no whole line in {METRICS}"
        for folder, run in read.items()
        if run is None
    ]


def read_run(folder: Path) -> Run | None:
    """Reads a run; returns None where it has not been evaluated yet."""
    config = read_config(folder)
    check_schedule(folder, config.settings.tasks)
    history = read_history(folder, len(config.settings.tasks.tasks))
    if not history:
        return None
    with config_errors(folder):
        stored = config.stored.get("data") or {}  # which older runs lack
        data = {name: read_data(facts) for name, facts in stored.items()}
    return Run(folder, applicable(config.settings), data, history, (folder / SUMMARY).is_file())


def read_data(stored: Mapping[str, object]) -> Data:
    """Reads what `config.json` says of a dataset.

    Raises:
        KeyError, TypeError: it is not what a run writes there.
    """
    data = Data(stored["train"], stored["test"], stored.get("sha256"))
    if (type(data.train), type(data.test)) != (int, int):
        raise TypeError("expected numbers of examples as train and test")
    if not isinstance(data.sha256, str | None):
        raise TypeError("expected text as sha256")
    return data


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


def check_schedule(folder: Path, settings: TaskSettings) -> None:
    """Refuses settings from which no schedule follows.

    Raises:
        RequestError: a setting is missing or does not fit the others.
    """
    weights = settings.task_weights
    fitting = {
        "task_time": settings.task_time is not None or settings.schedule != "cycle",
        "task_weights": weights is None or (len(weights) == len(settings.tasks) and any(weights)),
        "max_steps": settings.max_steps is not None,
    }
    for name, fits in fitting.items():
        if not fits:
            raise RequestError(
                f"{folder / CONFIG}: no schedule follows from its {name}, "
                f"{getattr(settings, name)!r:.60}; repair it, or leave this run out"
            )


def applicable(settings: Settings) -> Settings:
    """Returns the settings with None for those that do not apply, where older runs had a value."""
    inapplicable = {
        "hidden_units": settings.network.network.count("fc") < 2,
        "task_time": settings.tasks.schedule != "cycle",
    }
    return settings.replace(**{name: None for name, without in inapplicable.items() if without})
