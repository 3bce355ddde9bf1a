"""What a report shows: the metrics, the tasks, the title, and the width of the bands."""

from collections.abc import Sequence
from dataclasses import dataclass

from errors import RequestError
from reports.groups import Group
from reports.quantities import MAIN, QUANTITIES, Quantity

BANDS = {"sd": "one standard deviation", "sem": "one standard error of the mean"}


@dataclass(frozen=True)
class Choice:
    """What a report shows."""

    quantities: Sequence[Quantity] = MAIN
    tasks: Sequence[str] | None = None  # None: all
    title: str = "Report"
    band: str = "sd"  # of BANDS

    def columns(self, group: Group) -> list[int]:
        """Returns the indices of the group's tasks that are shown."""
        names = group.settings.tasks.tasks
        return [i for i, name in enumerate(names) if self.tasks is None or name in self.tasks]


DEFAULT = Choice()


def tasks_shown(groups: Sequence[Group], choice: Choice) -> list[str]:
    """Returns the labels of all groups' tasks that are shown, each once."""
    return list(
        dict.fromkeys(group.tasks[index] for group in groups for index in choice.columns(group))
    )


def make_choice(
    metric: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    title: str = Choice.title,
    band: str = Choice.band,
) -> Choice:
    """Returns the choice that flags make; None: the default.

    Raises:
        RequestError: there is no such metric.
    """
    if metric is None:
        return Choice(tasks=tasks, title=title, band=band)
    unknown = [name for name in metric if name not in QUANTITIES]
    if unknown:
        known = ", ".join(QUANTITIES)
        raise RequestError(f"--metric: there is no metric {unknown[0]!r}; there are {known}")
    return Choice([QUANTITIES[name] for name in dict.fromkeys(metric)], tasks, title, band)


def check_tasks(choice: Choice, groups: Sequence[Group]) -> None:
    """Checks that each task to show is of a run.

    Raises:
        RequestError: one is of none.
    """
    known = dict.fromkeys(name for group in groups for name in group.settings.tasks.tasks)
    unknown = [name for name in choice.tasks or () if name not in known]
    if unknown:
        raise RequestError(
            f"--tasks: no run has the task {unknown[0]!r}; the runs have {', '.join(known)}"
        )
