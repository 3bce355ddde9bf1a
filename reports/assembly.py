"""The content of a report, from groups of runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.choice import Choice
from reports.content import Bullets, Code, Heading, Line, Picture, Report, Table
from reports.groups import Group, drawn_data_warning


@dataclass(frozen=True)
class Results:
    """The results of groups of runs."""

    answers: list[str]
    overview: Table  # a row for each group
    tasks: Table  # a row for each task of each group
    notes: list[Line]


def make_report(
    groups: Sequence[Group],
    results: Results,
    choice: Choice,
    of_all: Sequence[str],
    of_each: Sequence[str],
) -> Report:
    """Returns a report: the answers, the comparisons, and below them the details.

    Args:
        of_all: the names of the figures of all groups.
        of_each: those of single groups.
    """
    alone = len(groups) == 1
    parts = [
        *([Bullets([(answer,) for answer in results.answers])] if results.answers else []),
        results.overview,
        *(map(Picture, of_each) if alone else ()),
        *map(Picture, of_all),
        Heading("Tasks"),
        results.tasks,
        *([] if alone else [Heading("Groups of runs"), *map(Picture, of_each)]),
        Heading("Notes"),
        Bullets(results.notes),
        Heading("Runs"),
        Bullets([folders_of(group) for group in groups]),
    ]
    return Report(choice.title, drawn_data_warning(groups), parts)


def folders_of(group: Group) -> Line:
    """Returns the tasks, which the label may leave out, and the folder of each run of a group."""
    pieces: list[str] = [f"{group.title}, tasks {', '.join(group.settings.tasks.tasks)}: "]
    for index, run in enumerate(group.runs):
        pieces += [f"{', ' * (index > 0)}seed {run.seed} ", Code(run.folder)]
    return tuple(pieces)
