"""The gain of training on several tasks over training on each alone: Δ.

Δ is the mean over the tasks of (multi − single) / single of the final accuracy (Maninis et al.
2019, arXiv 1904.08918), of the means over the seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from escaping import markdown, markdown_code
from reports.groups import Group, identity, in_words
from settings import LogSettings, TaskSettings
from settings.setting import settings_of

# The settings in which a run on one task may differ from the run on several that it is compared
# with. All others (input, network, training, data) must be equal.
MAY_DIFFER = {*settings_of(TaskSettings), *settings_of(LogSettings)}


@dataclass(frozen=True)
class Gain:
    """A group's Δ, and a note: the runs that it was computed from, or why there is none."""

    delta: float | None  # a share: 0.01 is one percent
    note: str  # in Markdown


def gains_of(groups: Sequence[Group]) -> dict[Group, Gain]:
    """Returns the Δ of each group on several tasks of which at least one was trained alone."""
    several = [group for group in groups if len(group.tasks) > 1]
    return {group: gain for group in several if (gain := gain_of(group, groups))}


def gain_of(group: Group, groups: Sequence[Group]) -> Gain | None:
    """Returns the Δ of a group; None where none of its tasks was trained alone."""
    tasks = group.settings.tasks.tasks
    alone = {task: best_match(group, task, groups) for task in tasks}
    if not any(alone.values()):
        return None
    label = markdown(group.label)
    missing = ", ".join(markdown(task) for task, single in alone.items() if single is None)
    if missing:
        reason = f"no run with otherwise equal settings was given for {missing} alone"
        return Gain(None, f"Δ of {label}: none, as {reason}")
    accuracy = {task: final_accuracies(single)[0] for task, single in alone.items()}
    zero = ", ".join(markdown(task) for task in alone if accuracy[task] == 0)
    if zero:
        return Gain(None, f"Δ of {label}: none, as the accuracy on {zero} alone is 0")
    gains = [
        (multi - accuracy[task]) / accuracy[task]
        for task, multi in zip(tasks, final_accuracies(group), strict=True)
    ]
    compared = "; ".join(comparison(group, task, single) for task, single in alone.items())
    return Gain(fmean(gains), f"Δ of {label} compares with {compared}")


def final_accuracies(group: Group) -> np.ndarray:
    """Returns each task's accuracy at the last evaluation, the mean over the seeds, [tasks]."""
    return np.mean([run.history[-1].accuracy for run in group.counted], axis=0)


def best_match(group: Group, task: str, groups: Sequence[Group]) -> Group | None:
    """Returns the comparable runs on that task alone that differ in the fewest settings.

    Of equally many differences, the nearest number of steps decides.
    """

    def distance(single: Group) -> tuple[int, int]:
        steps = single.settings.tasks.max_steps - group.settings.tasks.max_steps
        return len(differences(group, single)), abs(steps)

    comparable = [
        single
        for single in groups
        if single.settings.tasks.tasks == (task,)
        and MAY_DIFFER.issuperset(differences(group, single))
    ]
    return min(comparable, key=distance, default=None)


def differences(group: Group, single: Group) -> dict[str, object]:
    """Returns the settings of the runs on one task that differ from the group's, but the task."""
    ours, theirs = identity(group.runs[0]), identity(single.runs[0])
    ours["tasks"] = theirs["tasks"]
    return {name: value for name, value in theirs.items() if ours.get(name) != value}


def comparison(group: Group, task: str, single: Group) -> str:
    """Returns, in Markdown, the runs on a task alone for Δ, and where their settings differ."""
    words = [markdown(in_words(name, value)) for name, value in differences(group, single).items()]
    words += ["unfinished"] if not any(run.finished for run in single.runs) else []
    folders = ", ".join(markdown_code(str(run.folder)) for run in single.counted)
    return f"{markdown(task)} alone in {folders} ({', '.join(words) or 'equal settings'})"
