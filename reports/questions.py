"""Questions: the settings in which groups of runs differ, with the runs that answer for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.groups import Group, differing, identity, label_of
from reports.runs import Run
from settings import Settings

# Runs that differ in more settings were hardly made to answer a question.
MAX_QUESTIONS = 3
# What a run that is compared with another has in common with it: the seed, and the other settings.
Rest = tuple[int, tuple]


@dataclass(frozen=True)
class Question:
    """A setting, and the finished runs for each of its values."""

    name: str
    # By value, in order; each run by what it has in common with those that it is compared with.
    runs: dict[object, dict[Rest, Run]]
    others: tuple[str, ...]  # the settings that are equal in runs that are compared

    @property
    def positions(self) -> list[float]:
        """The values on an axis; empty where they have no order."""
        return positions(list(self.runs))

    def comparisons(self) -> list[tuple[object, object]]:
        """Returns the pairs of values to compare, old and new.

        Of values with an order each is compared with the one before it, which shows where more of
        it ceases to help, or begins to harm. As each such step may be within the noise while all
        together are not, the last is also compared with the first. Of other values each is compared
        with the first: the default, or else the one that was named first.
        """
        first, *rest = self.runs
        if not self.positions:
            return [(first, value) for value in rest]
        return [*pairwise(self.runs), *([(first, rest[-1])] if len(rest) > 1 else [])]

    def pairs(self, old: object, new: object) -> list[tuple[Run, Run]]:
        """Returns the runs of both values that have equal seeds and are equal in `others`."""
        return [
            (run, self.runs[new][rest])
            for rest, run in self.runs[old].items()
            if rest in self.runs[new]
        ]

    def lines(self) -> list[tuple[str, dict[object, list[Run]]]]:
        """Returns a label and the runs of each value for each combination of the others."""
        lines: dict[tuple, dict[object, list[Run]]] = {}
        for value, runs in self.runs.items():
            for (_, rest), run in runs.items():
                lines.setdefault(rest, {}).setdefault(value, []).append(run)
        in_order = sorted(lines, key=lambda rest: list(map(numbers, rest)))
        firsts = [next(iter(lines[rest].values()))[0] for rest in in_order]
        labels = [label_of(identity(run), self.others) for run in firsts]
        return [(label, lines[rest]) for label, rest in zip(labels, in_order, strict=True)]


def numbers(value: object) -> tuple[float, ...]:
    """Returns the number, or numbers, that a setting's value is; none where it is no number."""
    row = value if isinstance(value, tuple) else (value,)
    return row if all(type(item) in (int, float) for item in row) else ()


def positions(values: Sequence[object]) -> list[float]:
    """Returns rising numbers for rising values: for lists of numbers, none of which falls, the sum.

    Returns:
        An empty list where the values are no numbers, or do not rise.
    """
    rows = list(map(numbers, values))
    if not rows[0] or len(set(map(len, rows))) > 1:
        return []
    rising = all(one <= two for row in pairwise(rows) for one, two in zip(*row, strict=True))
    return [float(sum(row)) for row in rows] if rising else []


def questions_of(groups: Sequence[Group], varied: Sequence[str] | None = None) -> list[Question]:
    """Returns a question for each setting that was varied on its own.

    A setting that follows from another, as a learning rate may from the optimizer, is part of that
    one's question.

    Args:
        varied: the names of the settings that were varied, from which all others in which the
            groups differ follow; None: all in which they differ, unless they are more than a few.
    """
    identities = [identity(group.runs[0]) for group in groups]
    differ = differing(identities, absent=True)
    wanted = differ if varied is None else varied
    # Groups know the steps that follow from the epochs.
    wanted = ["max_steps" if name == "epochs" else name for name in wanted]
    names = independent(identities, [name for name in wanted if name in differ])
    asked = [name for name in names if name in Settings.declared() and name != "fake_data"]
    if varied is None and len(asked) > MAX_QUESTIONS:
        return []
    combinations = {tuple(each.get(name) for name in names) for each in identities}
    if len(combinations) < len(groups):  # there are differences that do not follow from these
        names += [name for name in independent(identities, differ) if name not in names]
    questions = [make_question(name, names, groups) for name in asked]
    return [question for question in questions if len(question.runs) > 1]


def independent(identities: Sequence[Mapping[str, object]], names: Sequence[str]) -> list[str]:
    """Returns the names of the settings that do not follow from one of the others.

    Of two that follow from each other, the first is returned.
    """

    def decides(one: str, other: str) -> bool:
        both = {(each.get(one), each.get(other)) for each in identities}
        return len(both) == len({value for value, _ in both})

    return [
        name
        for index, name in enumerate(names)
        if not any(
            decides(other, name) and (place < index or not decides(name, other))
            for place, other in enumerate(names)
            if other != name
        )
    ]


def make_question(name: str, names: Sequence[str], groups: Sequence[Group]) -> Question:
    """Returns the question for one of several settings that vary on their own."""
    others = tuple(other for other in names if other != name)
    runs: dict[object, dict[Rest, Run]] = {}
    for group in groups:
        settings = identity(group.runs[0])
        if name not in settings:
            continue
        # No accuracy is compared with that on other tasks, or on drawn data.
        fixed = (settings["fake_data"], tuple(sorted(settings["tasks"])))
        rest = (*fixed, *(settings.get(other) for other in others))
        of_value = runs.setdefault(settings[name], {})
        of_value |= {(run.seed, rest): run for run in group.runs if run.finished}
    in_order = sorted(runs, key=numbers)
    if not positions(in_order):  # the default first, and the order of naming
        in_order = sorted(runs, key=lambda value: value != Settings.declared()[name].default)
    return Question(name, {value: runs[value] for value in in_order}, others)
