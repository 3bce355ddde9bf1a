"""The gain of training on several tasks over training on each alone: Δ.

Δ is the mean over the tasks of (multi − single) / single of the final accuracy (Maninis et al.
2019, arXiv 1904.08918), of the means over the seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.groups import Group, identity, in_words
from settings import LogSettings, TaskSettings
from settings.setting import settings_of

# The settings in which a run on one task may differ from the run on several that it is compared
# with. All others (input, network, training, data) must be equal.
MAY_DIFFER = {*settings_of(TaskSettings), *settings_of(LogSettings)}


@dataclass(frozen=True)
class Gain:
    """A group's Δ, with the runs that it was computed from or the reason why there is none."""

    delta: float | None  # a share: 0.01 is one percent
    note: str


def gains_of(groups: Sequence[Group]) -> dict[Group, Gain]:
    """Returns the Δ of each group on several tasks of which at least one was trained alone."""
    found = {group: gain_of(group, groups) for group in groups if len(group.tasks) > 1}
    return {group: gain for group, gain in found.items() if gain is not None}


def gain_of(group: Group, groups: Sequence[Group]) -> Gain | None:
    """Returns the Δ of a group; None where none of its tasks was trained alone."""
    tasks = group.first.settings.tasks.tasks
    alone = {task: best_match(group, task, groups) for task in tasks}
    if not any(alone.values()):
        return None
    missing = [task for task, single in alone.items() if single is None]
    if missing:
        return Gain(
            None,
            f"Δ of {group.label}: none, as no run with otherwise equal settings was given for "
            f"{', '.join(missing)} alone",
        )
    single_accuracy = {task: final_accuracies(single)[0] for task, single in alone.items()}
    zero = [task for task, accuracy in single_accuracy.items() if accuracy == 0]
    if zero:
        return Gain(
            None, f"Δ of {group.label}: none, as the accuracy on {', '.join(zero)} alone is 0"
        )
    delta = fmean(
        (multi - single_accuracy[task]) / single_accuracy[task]
        for task, multi in zip(tasks, final_accuracies(group), strict=True)
    )
    return Gain(delta, comparison_note(group, alone))


def final_accuracies(group: Group) -> list[float]:
    """Returns each task's accuracy at the last evaluation, the mean over the seeds."""
    finals = [run.history[-1].accuracy for run in group.counted]
    return [fmean(accuracies) for accuracies in zip(*finals, strict=True)]


def best_match(group: Group, task: str, groups: Sequence[Group]) -> Group | None:
    """Returns the comparable runs on that task alone that differ in the fewest settings.

    Of equally many differences, the nearest number of steps decides.
    """

    def distance(single: Group) -> tuple[int, int]:
        steps = single.first.settings.tasks.max_steps - group.first.settings.tasks.max_steps
        return len(differences(group, single)), abs(steps)

    comparable = [
        single
        for single in groups
        if single.first.settings.tasks.tasks == (task,)
        and MAY_DIFFER.issuperset(differences(group, single))
    ]
    return min(comparable, key=distance, default=None)


def differences(group: Group, single: Group) -> list[str]:
    """Returns the settings of the runs on one task that differ from the group's, but the task."""
    ours, theirs = identity(group.first), identity(single.first)
    return [name for name, value in theirs.items() if name != "tasks" and ours.get(name) != value]


def comparison_note(group: Group, alone: dict[str, Group]) -> str:
    """Names the runs on single tasks that Δ was computed from, and where their settings differ."""
    parts = []
    for task, single in alone.items():
        values = identity(single.first)
        words = [in_words(name, values[name]) for name in differences(group, single)]
        words += ["unfinished"] if not any(run.finished for run in single.runs) else []
        folders = ", ".join(f"`{run.folder}`" for run in single.counted)
        parts.append(f"{task} alone in {folders} ({', '.join(words) or 'equal settings'})")
    return f"Δ of {group.label} compares with {'; '.join(parts)}"
