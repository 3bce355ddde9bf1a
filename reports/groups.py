"""Groups of runs that differ in the seed alone: their names, and their mean curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from reports.runs import Run
from runs.display import labels
from settings import Settings

# A label counts the tasks where they are more, or their names together are longer.
MAX_TASKS_NAMED = 4
MAX_CHARACTERS_NAMED = 48


@dataclass(frozen=True, eq=False)
class Curves:
    """A group's mean accuracies, at each step at which all runs that reached it were evaluated."""

    steps: np.ndarray  # [T] int64
    switches: np.ndarray  # [T] float64, switches of task before each step, the mean of the runs
    mean: np.ndarray  # [T, tasks + 1] float64, 0 to 1; last the mean over the tasks
    deviation: np.ndarray  # the same shape; NaN where fewer than two runs were evaluated


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in the seed alone, one of each seed."""

    runs: list[Run]
    label: str = ""

    @property
    def first(self) -> Run:
        """The run of the smallest seed, for what all runs have in common."""
        return self.runs[0]

    @property
    def tasks(self) -> list[str]:
        """A label for each task: its name, and its index where another has the same name."""
        return labels(self.first.settings.tasks.tasks)

    @property
    def counted(self) -> list[Run]:
        """The runs that the table counts, truncated to one length.

        The finished runs; where there are none, all up to the last step that all have reached.
        """
        runs = [run for run in self.runs if run.finished] or self.runs
        end = min(run.last_step for run in runs)
        return [
            replace(run, history=[each for each in run.history if each.step <= end]) for run in runs
        ]

    @property
    def unfinished(self) -> list[Run]:
        """The runs that did not do all the steps that their settings name."""
        return [run for run in self.runs if not run.finished]

    @property
    def last_step(self) -> int:
        """The number of steps done at the last evaluation of any run."""
        return max(run.last_step for run in self.runs)

    @cached_property
    def curves(self) -> Curves:
        """The mean and the standard deviation over the runs at each step."""
        steps = np.unique(np.concatenate([run.steps for run in self.runs]))
        # Where only some seeds were evaluated, at switches or not, the mean would jump.
        reached = [np.isin(steps, run.steps) | (steps > run.last_step) for run in self.runs]
        steps = steps[np.all(reached, axis=0)]
        shape = (len(self.runs), len(steps), len(self.tasks) + 1)
        accuracy, switches = np.full(shape, np.nan), np.full(shape[:2], np.nan)
        for index, run in enumerate(self.runs):
            kept = np.isin(run.steps, steps)
            places = np.searchsorted(steps, run.steps[kept])
            accuracy[index, places] = run.accuracy[kept]
            switches[index, places] = [run.schedule.switches(int(step)) for step in steps[places]]
        return Curves(steps, mean_and_deviation(switches)[0], *mean_and_deviation(accuracy))

    @property
    def title(self) -> str:
        """The label with the number of seeds, and of those unfinished."""
        if len(self.runs) == 1:
            notes = [f"seed {self.first.seed}", *(run.progress for run in self.unfinished)]
        else:
            notes = [f"{len(self.runs)} seeds"]
            notes += [f"{len(self.unfinished)} unfinished"] if self.unfinished else []
        return f"{self.label} ({', '.join(notes)})"


def mean_and_deviation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean and the sample standard deviation over the first axis, NaNs left out.

    The deviation is NaN where there are fewer than two values.
    """
    count = np.sum(~np.isnan(values), axis=0)
    mean = np.nansum(values, axis=0) / count
    squares = np.nansum((values - mean) ** 2, axis=0)
    return mean, np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def group_runs(runs: Sequence[Run]) -> tuple[list[Group], list[str]]:
    """Groups the runs, in the order of each group's first run.

    Returns:
        The groups, and notes on the runs that are left out.
    """
    by_identity: dict[frozenset, dict[int, Run]] = {}
    notes = []
    for run in runs:
        seeds = by_identity.setdefault(frozenset(identity(run).items()), {})
        kept = seeds.setdefault(run.seed, run)
        if kept is not run:  # an equal run: counted twice it would feign a small deviation
            shorter, longer = sorted((run, kept), key=lambda each: (each.last_step, each.finished))
            seeds[run.seed] = longer
            notes.append(f"left out: {shorter.folder} repeats {longer.folder} with the same seed")
    groups = [Group([seeds[seed] for seed in sorted(seeds)]) for seeds in by_identity.values()]
    names = name_groups([identity(group.first) for group in groups])
    return [replace(group, label=name) for group, name in zip(groups, names, strict=True)], notes


def identity(run: Run) -> dict[str, object]:
    """Returns what a run's accuracies follow from, but the seed: settings, and the data's sizes.

    Settings that mean nothing for a single task are left out where there is one.
    """
    alone = len(run.settings.tasks.tasks) == 1
    values = run.settings.values()
    found = {
        name: values[name]
        for name, facts in Settings.declared().items()
        if facts.affects_results and name != "seed" and not (facts.multitask and alone)
    }
    if run.settings.data.fake_data:
        return found  # drawn data is always of the same size
    return found | {f"data of {name}": size for name, size in run.dataset_sizes.items()}


def name_groups(identities: Sequence[Mapping[str, object]]) -> list[str]:
    """Returns a label for each group: the settings in which it differs; its tasks if it is alone.

    Args:
        identities: as `identity` returns them, one for each group.
    """
    keys = differing(identities) or ["tasks"]
    names = [label_of(each, keys, concise=True) for each in identities]
    if len(set(names)) < len(names) or not all(names):
        names = [label_of(each, keys) for each in identities]
    if len(set(names)) < len(names):
        names = [label_of(each, differing(identities, absent=True)) for each in identities]
    names = [name or "real data" for name in names]
    return [
        f"{name} [{names[: index + 1].count(name)}]" if names.count(name) > 1 else name
        for index, name in enumerate(names)
    ]


def differing(identities: Sequence[Mapping[str, object]], absent: bool = False) -> list[str]:
    """Returns the settings in which groups differ; with `absent` also those that some lack."""
    names = dict.fromkeys([*Settings.declared(), *(name for each in identities for name in each)])
    found = []
    for name in names:
        values = [each[name] for each in identities if name in each]
        some_lack_it = 0 < len(values) < len(identities)
        if len(set(values)) > 1 or (absent and some_lack_it):
            found.append(name)
    return found


def label_of(
    settings: Mapping[str, object], differing: Sequence[str], concise: bool = False
) -> str:
    """Returns the settings in which a group differs, in words; if concise, those that are on."""
    words = [
        in_words(name, settings[name])
        for name in differing
        if name in settings and name != "fake_data" and not (concise and is_off(settings[name]))
    ]
    mark = ["DRAWN DATA"] if settings["fake_data"] else []
    return ", ".join(mark + words)


def is_off(value: object) -> bool:
    """Tells whether a setting's value switches something off."""
    return value in (None, 0, (), "none")  # 0 is False too


def in_words(name: str, value: object) -> str:
    """Returns a setting's name and value, as short as they are clear."""
    if name == "tasks":
        return tasks_in_words(value)
    if name == "max_steps":
        return f"{value:,} step{'s' * (value > 1)}"
    if isinstance(value, tuple):
        text = " ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
    elif value is None or isinstance(value, bool):
        text = "on" if value else "off" if value is False else "none"
    else:
        text = str(value)
    facts = Settings.declared().get(name)  # none of a dataset's size
    return text if facts and facts.self_explanatory else f"{name.replace('_', ' ')} {text}"


def tasks_in_words(tasks: Sequence[str]) -> str:
    """Returns the tasks' names where they are short; else the number of tasks."""
    text = " ".join(tasks)
    few = len(tasks) <= MAX_TASKS_NAMED and len(text) <= MAX_CHARACTERS_NAMED
    return text if few or len(tasks) == 1 else f"{len(tasks)} tasks"
