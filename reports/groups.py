"""Groups of runs that differ in the seed alone: their names, and their mean curves."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np

from command import one_line
from reports.content import Code, Line
from reports.matrix import Matrix
from reports.runs import Run
from settings import Settings
from tasks.task import task_labels

# A label counts the tasks where they are more, or their names together are longer.
MAX_TASKS_NAMED = 4
MAX_CHARACTERS_NAMED = 48
# Characters of a value in a label: as many as a file's name may have.
MAX_VALUE = 255
# Values that switch a setting off.
OFF = (None, 0, (), "none")  # 0 is False too
DRAWN = "DRAWN DATA"
WORDS = {"None": "none", "True": "on", "False": "off"}


@dataclass(frozen=True)
class Curves:
    """A group's accuracies: the mean and the sample standard deviation over its runs."""

    x: np.ndarray  # [T] int64, the number of steps done, or of switches of task
    mean: np.ndarray  # [T, tasks + 1] float64, 0 to 1; last the mean over the tasks
    deviation: np.ndarray  # the same shape; NaN where fewer than two runs were evaluated
    runs: np.ndarray  # [T, 1] int64, the number of runs that were evaluated

    def width(self, band: str) -> np.ndarray:
        """Returns the half of a band's width: of the deviation "sd", or of the mean's error "sem".

        Its shape is that of `deviation`.
        """
        return self.deviation / np.sqrt(self.runs) if band == "sem" else self.deviation


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in the seed alone, one of each seed."""

    runs: list[Run]  # by seed
    label: str

    @property
    def settings(self) -> Settings:
        """The settings of all runs, with the smallest seed."""
        return self.runs[0].settings

    @cached_property
    def tasks(self) -> list[str]:
        """A printable label for each task, as `task_labels` returns them."""
        return task_labels(self.settings.tasks.tasks)

    @cached_property
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

    @cached_property
    def curves(self) -> Curves:
        """The accuracies against the steps at which all runs that reached them were evaluated."""
        rows = [
            {each.step: (*each.accuracy, each.mean_accuracy) for each in run.history}
            for run in self.runs
        ]
        # Where only some seeds were evaluated, at switches or not, the mean would jump.
        steps = [
            step
            for step in sorted(set().union(*rows))
            if all(
                step in row or step > run.last_step
                for row, run in zip(rows, self.runs, strict=True)
            )
        ]
        missing = [np.nan] * (len(self.tasks) + 1)
        accuracy = np.array([[row.get(step, missing) for step in steps] for row in rows])
        runs = np.count_nonzero(~np.isnan(accuracy[..., -1:]), axis=0)
        return Curves(np.array(steps), *mean_and_deviation(accuracy), runs)

    @cached_property
    def matrix(self) -> Matrix | None:
        """The mean of the accuracy matrices of the runs that count; None where one has none."""
        matrices = [run.matrix for run in self.counted]
        if any(each is None or each.trained != matrices[0].trained for each in matrices):
            return None
        return replace(
            matrices[0],
            accuracy=np.mean([each.accuracy for each in matrices], axis=0),
            lowest=np.mean([each.lowest for each in matrices], axis=0),
        )

    @property
    def title(self) -> str:
        """The label with the number of seeds, and of those unfinished."""
        if len(self.runs) == 1:
            notes = [f"seed {self.runs[0].seed}", *(run.progress for run in self.unfinished)]
        else:
            notes = [f"{len(self.runs)} seeds"]
            notes += [f"{len(self.unfinished)} unfinished"] if self.unfinished else []
        return f"{self.label} ({', '.join(notes)})"


def drawn_data_warning(groups: Sequence[Group]) -> str:
    """Returns the line that keeps drawn data from being taken for real data; empty if none is."""
    drawn = [group.settings.data.fake_data for group in groups]
    if not any(drawn):
        return ""
    which = "" if all(drawn) else " where the label says so"
    return f"{DRAWN}{which}: says nothing about real images"


def mean_and_deviation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean and the sample standard deviation over the first axis, NaNs left out.

    The deviation is NaN where there are fewer than two values.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of fewer than two values
        return np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)


def group_runs(runs: Sequence[Run]) -> tuple[list[Group], list[Line]]:
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
            one, other = (Code(each.folder) for each in (shorter, longer))
            notes.append(("left out: ", one, " repeats ", other, " with the same seed"))
    groups = [[seeds[seed] for seed in sorted(seeds)] for seeds in by_identity.values()]
    labels = name_groups([identity(runs[0]) for runs in groups])
    return list(map(Group, groups, labels)), notes


def identity(run: Run) -> dict[str, object]:
    """Returns what a run's accuracies follow from, but the seed: its settings and its data.

    Settings that mean nothing for a single task are left out where there is one.
    """
    alone = len(run.settings.tasks.tasks) == 1
    values = run.settings.values()
    found = {
        name: values[name]
        for name, facts in Settings.declared().items()
        if facts.affects_results and name != "seed" and not (facts.multitask and alone)
    }
    # Two names, as labels compare drawn data with drawn data, and real with real.
    kind = "drawn" if run.settings.data.fake_data else "data of"
    return found | {f"{kind} {name}": data for name, data in run.data.items()}


def name_groups(identities: Sequence[Mapping[str, object]]) -> list[str]:
    """Returns a label for each group: the settings in which it differs; its tasks if it is alone.

    Args:
        identities: as `identity` returns them, one for each group.
    """
    keys = differing(identities) or ["tasks"]
    labels = [label_of(each, keys, leave_out=OFF) for each in identities]
    if len(set(labels)) < len(labels) or not all(labels):
        labels = [label_of(each, keys) for each in identities]
    if len(set(labels)) < len(labels):
        labels = [label_of(each, differing(identities, absent=True)) for each in identities]
    labels = [label or "real data" for label in labels]
    return [
        f"{label} [{labels[: index + 1].count(label)}]" if labels.count(label) > 1 else label
        for index, label in enumerate(labels)
    ]


def differing(identities: Sequence[Mapping[str, object]], absent: bool = False) -> list[str]:
    """Returns the settings in which groups differ; with `absent` also those that some lack."""
    found = []
    for name in dict.fromkeys(chain(Settings.declared(), *identities)):
        values = [each[name] for each in identities if name in each]
        if len(set(values)) > 1 or (absent and 0 < len(values) < len(identities)):
            found.append(name)
    return found


def label_of(
    settings: Mapping[str, object], names: Sequence[str], leave_out: Sequence[object] = ()
) -> str:
    """Returns the settings of these names in words, but for values to leave out."""
    mark = [DRAWN] if settings["fake_data"] else []
    shown = [name for name in names if name in settings and name != "fake_data"]
    words = [in_words(name, settings[name]) for name in shown if settings[name] not in leave_out]
    return ", ".join(mark + words)


def in_words(name: str, value: object) -> str:
    """Returns a setting's name and value, printable and as short as they are clear."""
    if name == "tasks":
        text = shortened(one_line(" ".join(value)), MAX_VALUE)
        few = len(value) <= MAX_TASKS_NAMED and len(text) <= MAX_CHARACTERS_NAMED
        return text if few or len(value) == 1 else f"{len(value)} tasks"
    if name == "max_steps":
        return f"{value:,} step{'s' * (value > 1)}"
    text = value_in_words(value)
    facts = Settings.declared().get(name)  # none of a dataset
    return text if facts and facts.self_explanatory else f"{name_in_words(name)} {text}"


def name_in_words(name: str) -> str:
    """Returns a setting's name alone, printable."""
    return shortened(one_line(name.replace("_", " ")), MAX_VALUE)


def value_in_words(value: object) -> str:
    """Returns a setting's value alone, printable."""
    if isinstance(value, tuple):
        text = " ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
    else:
        text = WORDS.get(str(value), str(value))
    return shortened(one_line(text), MAX_VALUE)


def shortened(text: str, width: int) -> str:
    """Returns the text with "…" for its middle where it is longer than `width` characters."""
    half = width // 2
    return text if len(text) <= width else f"{text[:half]}…{text[half + 1 - width :]}"
