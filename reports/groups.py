"""Puts runs that differ in the seed alone into groups, names the groups, and averages the runs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from reports.runs import Run
from runs.display import labels

# Settings that change no accuracy, and so do not keep runs apart.
WITHOUT_EFFECT = {
    "seed",
    *("log_dir", "quiet", "data_dir", "data_dog_dir", "pickle_file", "use_pickle"),
    *("gpu", "threads", "xla"),
    *("trace", "train_metadata_frequency", "train_summary_frequency", "checkpoint_frequency"),
    *("dry_run", "list_tasks", "fake_data"),
    "epochs",  # which max_steps follows from
}
# What a label says first, and settings whose value says what it is.
FIRST = ("tasks", "schedule", "network", "optimizer", "learning_rate", "task_time")
BARE = ("tasks", "schedule", "optimizer", "network", "input_style")
# Of more tasks, or of longer names in all, a label tells the number.
MOST_TASKS_NAMED = 4
MOST_CHARACTERS_NAMED = 48


@dataclass(frozen=True, eq=False)
class Curves:
    """A group's accuracies at each step at which one of its runs was tested."""

    steps: np.ndarray  # [T] int64
    switches: np.ndarray  # [T] float64, done by then, the mean of the runs
    mean: np.ndarray  # [T, tasks + 1] float64, shares; last the mean over the tasks
    deviation: np.ndarray  # the same shape; NaN where fewer than two runs were tested


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in the seed alone, one of each seed."""

    runs: list[Run]
    label: str = ""

    @property
    def first(self) -> Run:
        """A run for what all of them have in common."""
        return self.runs[0]

    @property
    def tasks(self) -> list[str]:
        """What to call each task: its name, and its place where another has the same name."""
        return labels(self.first.settings["tasks"])

    @property
    def counted(self) -> list[Run]:
        """The runs that the table counts, cut to one length.

        Those that finished; where none did, all of them up to the last step that all have.
        """
        runs = [run for run in self.runs if run.finished] or self.runs
        tests = [run.steps <= min(run.last_step for run in runs) for run in runs]
        return [
            replace(run, steps=run.steps[kept], accuracy=run.accuracy[kept])
            for run, kept in zip(runs, tests, strict=True)
        ]

    @property
    def unfinished(self) -> list[Run]:
        """The runs that did not do all that they were asked to."""
        return [run for run in self.runs if not run.finished]

    @property
    def last_step(self) -> int:
        """How far the run came that came furthest."""
        return max(run.last_step for run in self.runs)

    @cached_property
    def curves(self) -> Curves:
        """The mean and the standard deviation at each step, over the runs tested there."""
        steps = np.unique(np.concatenate([run.steps for run in self.runs]))
        shape = (len(self.runs), len(steps), len(self.tasks) + 1)
        accuracy, switches = np.full(shape, np.nan), np.full(shape[:2], np.nan)
        for index, run in enumerate(self.runs):
            places = np.searchsorted(steps, run.steps)
            accuracy[index, places] = with_mean(run.accuracy)
            switches[index, places] = [run.schedule.switches(int(step)) for step in run.steps]
        return Curves(steps, mean_and_deviation(switches)[0], *mean_and_deviation(accuracy))

    @property
    def title(self) -> str:
        """The label, with the number of seeds, and what to mind about the runs."""
        if len(self.runs) == 1:
            notes = [f"seed {self.first.settings['seed']}"]
            notes += [run.progress for run in self.unfinished]
        else:
            notes = [f"{len(self.runs)} seeds"]
            notes += [f"{len(self.unfinished)} unfinished"] if self.unfinished else []
        return f"{self.label} ({', '.join(notes)})"


def with_mean(accuracy: np.ndarray) -> np.ndarray:
    """Accuracies [T, tasks] with the mean over the tasks as one more column."""
    return np.column_stack([accuracy, accuracy.mean(axis=1)])


def mean_and_deviation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the sample standard deviation over the first axis, NaNs left out.

    The deviation is NaN where there are fewer than two values.
    """
    count = np.sum(~np.isnan(values), axis=0)
    mean = np.nansum(values, axis=0) / count
    squares = np.nansum((values - mean) ** 2, axis=0)
    return mean, np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def group_runs(runs: Sequence[Run]) -> tuple[list[Group], list[str]]:
    """The groups in the order of their first runs, and notes on the runs that are left out."""
    by_identity: dict[str, dict[int, Run]] = {}
    notes = []
    for run in runs:
        seeds = by_identity.setdefault(json.dumps(identity(run), sort_keys=True), {})
        kept = seeds.setdefault(run.settings["seed"], run)
        if kept is not run:  # an equal run: counted twice it would feign a small deviation
            longer, other = (run, kept) if further(run) > further(kept) else (kept, run)
            seeds[run.settings["seed"]] = longer
            notes.append(f"left out: {other.folder} repeats {longer.folder}, seed and all")
    groups = [Group([seeds[seed] for seed in sorted(seeds)]) for seeds in by_identity.values()]
    names = name_groups([identity(group.first) for group in groups])
    return [replace(group, label=name) for group, name in zip(groups, names, strict=True)], notes


def further(run: Run) -> tuple[int, bool]:
    """How far a run came, to compare."""
    return run.last_step, run.finished


def identity(run: Run) -> dict:
    """All that a run's accuracies follow from, but the seed."""
    without = WITHOUT_EFFECT
    if len(run.settings["tasks"]) == 1:
        without = without | {"schedule", "task_time", "task_weights"}
    elif run.settings["schedule"] != "cycle":
        without = without | {"task_time"}
    settings = {name: value for name, value in run.settings.items() if name not in without}
    data = {} if run.drawn else run.data  # drawn data is always of the same sizes
    sizes = {f"data of {name}": size for name, size in data.items()}
    return {**settings, **sizes, "drawn": run.drawn}


def name_groups(identities: Sequence[dict]) -> list[str]:
    """A label for each group that tells what it differs in; its tasks if it is alone."""
    keys = differing(identities) or ["tasks"]
    names = [label_of(each, keys, telling=True) for each in identities]
    if len(set(names)) < len(names) or not all(names):
        names = [label_of(each, keys) for each in identities]
    if len(set(names)) < len(names):
        names = [label_of(each, differing(identities, lacking=True)) for each in identities]
    names = [name or "real data" for name in names]
    return [
        f"{name} [{names[: index + 1].count(name)}]" if names.count(name) > 1 else name
        for index, name in enumerate(names)
    ]


def differing(identities: Sequence[dict], lacking: bool = False) -> list[str]:
    """The settings in which groups differ; with `lacking`, those too that some do not have."""
    keys = list(dict.fromkeys(key for each in identities for key in each))
    values = {
        key: {json.dumps(each[key]) if key in each else None for each in identities} for key in keys
    }
    found = [key for key in keys if len(values[key] if lacking else values[key] - {None}) > 1]
    return sorted(found, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))


def label_of(settings: dict, differing: Sequence[str], telling: bool = False) -> str:
    """The settings in which a group differs, in words; if `telling`, without those that are off."""
    words = [
        in_words(name, settings[name])
        for name in differing
        if name in settings and name != "drawn" and not (telling and is_off(settings[name]))
    ]
    mark = ["DRAWN DATA"] if settings["drawn"] else []
    return ", ".join(mark + words)


def is_off(value: object) -> bool:
    """Whether a setting's value says that there is none of it."""
    return value in (None, 0, [], "none")  # 0 is False too


def in_words(name: str, value: object) -> str:
    """A setting's name and value, as short as it is clear."""
    if name == "tasks":
        return tasks_in_words(value)
    if name == "max_steps":
        return f"{value:,} step{'s' * (value > 1)}"
    if isinstance(value, list):
        text = " ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
    else:
        text = str(value)
    if isinstance(value, bool) or value is None:
        text = "on" if value else "off" if value is False else "none"
    return text if name in BARE else f"{name.replace('_', ' ')} {text}"


def tasks_in_words(tasks: Sequence[str]) -> str:
    """The tasks by name where that is short; else how many there are."""
    text = " ".join(tasks)
    few = len(tasks) <= MOST_TASKS_NAMED and len(text) <= MOST_CHARACTERS_NAMED
    return text if few or len(tasks) == 1 else f"{len(tasks)} tasks"
