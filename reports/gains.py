"""What training on several tasks gains over training on each alone: Δ.

Δ is the mean over the tasks of (multi − single) / single of the final accuracy (Maninis et al.
2019, arXiv 1904.08918), of the means over the seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.groups import Group, identity, in_words

# What may differ between a run on several tasks and a run on one of them that it is held against.
MAY_DIFFER = ("heads", "max_steps", "epochs", "test_frequency")
# What has to differ, or says nothing of a run on one task.
DIFFERS = ("tasks", "schedule", "task_time", "task_weights")


@dataclass(frozen=True)
class Gain:
    """A group's Δ as a share, None where there is none to tell, and a note on how it came."""

    delta: float | None
    note: str


def gains_of(groups: Sequence[Group]) -> dict[Group, Gain]:
    """Δ of each group on several tasks of which there is one on a single task, at least."""
    found = {group: gain_of(group, groups) for group in groups if len(group.tasks) > 1}
    return {group: gain for group, gain in found.items() if gain is not None}


def gain_of(group: Group, groups: Sequence[Group]) -> Gain | None:
    """Δ of a group; None where not one of its tasks was trained alone."""
    tasks = group.first.settings["tasks"]
    alone = {task: best_match(group, task, groups) for task in tasks}
    if not any(alone.values()):
        return None
    missing = [task for task, single in alone.items() if single is None]
    if missing:
        return Gain(
            None,
            f"Δ of {group.label}: none, as no run that is otherwise the same was given for "
            f"{', '.join(missing)} alone",
        )
    zero = [task for task, single in alone.items() if final_accuracies(single)[0] == 0]
    if zero:
        return Gain(
            None, f"Δ of {group.label}: none, as the accuracy on {', '.join(zero)} alone is 0"
        )
    singles = [final_accuracies(alone[task])[0] for task in tasks]
    multi = final_accuracies(group)
    delta = fmean((many - one) / one for many, one in zip(multi, singles, strict=True))
    return Gain(delta, note_on(group, alone))


def final_accuracies(group: Group) -> list[float]:
    """Each task's accuracy at the last test, the mean of the seeds."""
    runs = group.counted
    return [fmean(run.accuracy[-1, task] for run in runs) for task in range(len(group.tasks))]


def best_match(group: Group, task: str, groups: Sequence[Group]) -> Group | None:
    """The runs on that task alone whose settings differ in nothing that matters, and least."""
    fitting = [
        single
        for single in groups
        if single.first.settings["tasks"] == [task]
        and not differences(group, single, without=(*MAY_DIFFER, *DIFFERS))
    ]
    return min(fitting, key=lambda single: rank(group, single), default=None)


def rank(group: Group, single: Group) -> tuple[int, int]:
    """How far the runs on one task are from the group, to compare: the fewer differences first."""
    steps = abs(single.first.settings["max_steps"] - group.first.settings["max_steps"])
    return len(differences(group, single, without=DIFFERS)), steps


def differences(group: Group, single: Group, without: Sequence[str]) -> list[str]:
    """The names of the settings in which two groups differ, but those `without`.

    Data sets that only the group on several tasks has make no difference.
    """
    ours, theirs = identity(group.first), identity(single.first)
    extra = {f"data of {name}" for name in group.first.data.keys() - single.first.data.keys()}
    return [
        name
        for name in dict.fromkeys([*ours, *theirs])
        if name not in {*without, *extra} and ours.get(name) != theirs.get(name)
    ]


def note_on(group: Group, alone: dict[str, Group]) -> str:
    """Which runs on single tasks Δ was taken against, and where their settings differ."""
    parts = []
    for task, single in alone.items():
        settings = single.first.settings
        words = [
            in_words(name, settings.get(name))
            for name in differences(group, single, without=DIFFERS)
        ]
        words += ["unfinished"] if not any(run.finished for run in single.runs) else []
        same = "settings otherwise the same"
        parts.append(f"{task} alone in {folders(single)} ({', '.join(words) or same})")
    return f"Δ of {group.label} is taken against {'; '.join(parts)}"


def folders(group: Group) -> str:
    """Where a group's runs are."""
    return ", ".join(f"`{run.folder}`" for run in group.counted)
