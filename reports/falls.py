"""The biggest fall of a task while another was trained, in words."""

from collections.abc import Iterator
from typing import NamedTuple

from reports.groups import Group
from reports.matrix import Matrix

LEAST = 0.01  # a smaller fall is none


class Fall(NamedTuple):
    """A change of a task's accuracy within a turn of another one."""

    before: float
    after: float
    task: int
    trained: int

    @property
    def size(self) -> float:
        """The accuracy lost."""
        return self.before - self.after


def biggest_fall(group: Group) -> str:
    """Returns a sentence on the biggest fall; empty where tasks do not take turns."""
    found = list(falls(group.matrix)) if group.matrix else []
    if not found:
        return ""
    fall = max(found, key=lambda each: each.size)
    if fall.size < LEAST:
        return "no task lost a point while another was learned"
    seeds = len(group.counted)
    facts = ["drawn data"] if group.settings.data.fake_data else []
    facts += [f"mean over {seeds} seeds"] if seeds > 1 else []
    note = f" ({', '.join(facts)})" if facts else ""
    task, trained = group.tasks[fall.task], group.tasks[fall.trained]
    change = f"{task} fell from {100 * fall.before:.0f} % to {100 * fall.after:.0f} %"
    return f"{change} while {trained} was learned{note}"


def falls(matrix: Matrix) -> Iterator[Fall]:
    """Yields the change of each task that was trained before in each turn of another one."""
    for row, trained in enumerate(matrix.trained[1:], start=1):
        for task, turns in matrix.turns.items():
            if task != trained and turns[0] < row:
                yield Fall(*matrix.accuracy[row - 1 : row + 1, task].tolist(), task, trained)
