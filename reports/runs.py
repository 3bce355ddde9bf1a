"""Runs, read back from their folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from errors import RequestError
from runs.config import CONFIG, config_errors, read_config
from runs.folder import SUMMARY, runs_below
from runs.history import METRICS, Evaluation, read_history
from settings import Settings, TaskSettings
from tasks.schedule import Schedule, make_schedule


@dataclass(frozen=True, eq=False)
class Run:
    """A run with at least one evaluation."""

    folder: Path
    settings: Settings
    dataset_sizes: dict[str, str]  # "train+test" examples of each dataset, by its name
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
        """The order of the tasks."""
        return make_schedule(self.settings.tasks, self.seed)


def read_runs(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Reads the runs in and below the folders, each once, in the order of naming.

    Returns:
        The runs, and notes on those that are left out.

    Raises:
        RequestError: a folder holds no run, a file in it is damaged, or no run has an evaluation.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        for path in runs_below(folder):
            found.setdefault(path.resolve(), path)
    read = {folder: read_run(folder) for folder in found.values()}
    runs = [run for run in read.values() if run]
    if not runs:
        raise RequestError(
            f"there is nothing to report: no run has a whole line in its {METRICS}; name a run "
            "that has been evaluated at least once"
        )
    return runs, [
        f"left out: {folder} has no evaluation yet, no whole line in {METRICS}"
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
        data = config.stored.get("data") or {}  # which older runs lack
        sizes = {name: f"{facts['train']}+{facts['test']}" for name, facts in data.items()}
    return Run(folder, applicable(config.settings), sizes, history, (folder / SUMMARY).is_file())


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
