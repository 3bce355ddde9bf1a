"""Groups in comparison with references: single-task runs and joint training.

Δ is the mean over the tasks of (multi − single) / single of the final accuracy (Maninis et al.
2019, arXiv 1904.08918), of the means over the seeds. Intransigence is the mean over the tasks of
the reference's final accuracy − that at the end of the first turn (Chaudhry et al. 2018, arXiv
1801.10112).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean

import numpy as np

from reports.content import Code, Line
from reports.groups import Group, identity, in_words
from reports.metrics import intransigence
from settings import LogSettings, TaskSettings
from settings.setting import settings_of

# The settings in which a reference may differ from the runs that are compared with it. All others
# (input, network, training, data) must be equal.
MAY_DIFFER = {*settings_of(TaskSettings), *settings_of(LogSettings)}


@dataclass(frozen=True)
class Gain:
    """A group's Δ, and a note: the runs that it was computed from, or why there is none."""

    delta: float | None  # a share: 0.01 is one percent
    note: Line


@dataclass(frozen=True)
class Missed:
    """A group's intransigence, and a note on the reference if no other note names it."""

    shares: list[float]  # of each run that counts
    note: Line | None


@dataclass(frozen=True)
class Comparisons:
    """What a comparison with references gives, of the groups that have them."""

    gains: dict[Group, Gain]  # of groups on several tasks of which at least one was trained alone
    missed: dict[Group, Missed]


def compare(groups: Sequence[Group], references: Sequence[Group]) -> Comparisons:
    """Compares each group with those among the references that suit it."""
    several = [group for group in groups if len(group.tasks) > 1]
    return Comparisons(
        {group: gain for group in several if (gain := gain_of(group, references))},
        {group: missed for group in several if (missed := missed_by(group, references))},
    )


def gain_of(group: Group, references: Sequence[Group]) -> Gain | None:
    """Returns the Δ of a group; None where none of its tasks was trained alone."""
    tasks = group.settings.tasks.tasks
    alone = trained_alone(group, references)
    if not any(alone.values()):
        return None
    missing = ", ".join(task for task, single in alone.items() if single is None)
    if missing:
        reason = f"no run with otherwise equal settings was given for {missing} alone"
        return Gain(None, (f"Δ of {group.label}: none, as {reason}",))
    accuracy = {task: final_accuracies(single)[0] for task, single in alone.items()}
    zero = ", ".join(task for task in alone if accuracy[task] == 0)
    if zero:
        return Gain(None, (f"Δ of {group.label}: none, as the accuracy on {zero} alone is 0",))
    gains = [
        (multi - accuracy[task]) / accuracy[task]
        for task, multi in zip(tasks, final_accuracies(group), strict=True)
    ]
    compared = [comparison(group, f"{task} alone", single) for task, single in alone.items()]
    return Gain(fmean(gains), (f"Δ of {group.label} compares with ", *joined(compared, "; ")))


def missed_by(group: Group, references: Sequence[Group]) -> Missed | None:
    """Returns a group's intransigence against joint training or, without, the runs of its Δ.

    Returns:
        None where there is no reference, or the tasks do not take turns.
    """
    matrices = [run.matrix for run in group.counted]
    if any(matrix is None or not matrix.turns for matrix in matrices):
        return None
    tasks, note = group.settings.tasks.tasks, None
    joint = best_match(group, tasks, references, "joint")
    if joint:
        accuracy = dict(zip(joint.settings.tasks.tasks, final_accuracies(joint), strict=True))
        compared = comparison(group, "joint training", joint)
        note = (f"intransigence of {group.label} compares with ", *compared)
    else:
        alone = trained_alone(group, references)
        if None in alone.values():
            return None
        accuracy = {task: final_accuracies(single)[0] for task, single in alone.items()}
    reference = [accuracy[task] for task in tasks]
    return Missed([intransigence(matrix, reference) for matrix in matrices], note)


def trained_alone(group: Group, groups: Sequence[Group]) -> dict[str, Group | None]:
    """Returns the runs on each task alone that a group is compared with, by task."""
    tasks = group.settings.tasks.tasks
    return {task: best_match(group, (task,), groups) for task in tasks}


def final_accuracies(group: Group) -> np.ndarray:
    """Returns each task's accuracy at the last evaluation, the mean over the seeds, [tasks]."""
    return np.mean([run.history[-1].accuracy for run in group.counted], axis=0)


def best_match(
    group: Group, tasks: Sequence[str], groups: Sequence[Group], schedule: str | None = None
) -> Group | None:
    """Returns the comparable runs on those tasks, in any order, that differ in fewest settings.

    Of equally many differences, the nearest number of steps decides.

    Args:
        schedule: that they have; None: any.
    """

    def distance(other: Group) -> tuple[int, int]:
        steps = other.settings.tasks.max_steps - group.settings.tasks.max_steps
        return len(differences(group, other)), abs(steps)

    comparable = [
        other
        for other in groups
        if sorted(other.settings.tasks.tasks) == sorted(tasks)
        and schedule in (None, other.settings.tasks.schedule)
        and MAY_DIFFER.issuperset(differences(group, other))
    ]
    return min(comparable, key=distance, default=None)


def differences(group: Group, reference: Group) -> dict[str, object]:
    """Returns the settings of the reference that differ from the group's, but the tasks."""
    ours, theirs = identity(group.runs[0]), identity(reference.runs[0])
    ours["tasks"] = theirs["tasks"]
    return {name: value for name, value in theirs.items() if ours.get(name) != value}


def comparison(group: Group, name: str, reference: Group) -> Line:
    """Returns the runs of a reference with this name, and where their settings differ."""
    changed = differences(group, reference)
    words = [in_words(name, value) for name, value in changed.items() if value is not None]
    words += ["unfinished"] if not any(run.finished for run in reference.runs) else []
    folders = joined([(Code(run.folder),) for run in reference.counted], ", ")
    return (f"{name} in ", *folders, f" ({', '.join(words) or 'equal settings'})")


def joined(lines: Sequence[Line], between: str) -> Line:
    """Returns the lines as one, with a text between each two."""
    return tuple(chain.from_iterable((between, *line) for line in lines))[1:]
