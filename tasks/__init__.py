"""The tasks, by the names that --tasks takes."""

import difflib
from collections.abc import Callable, Iterable, Sequence

from errors import RequestError
from tasks import cifar, digits, dogs, fashion, omniglot
from tasks.task import Seeds, Task

__all__ = ["TASKS", "Seeds", "Task", "describe_tasks", "find_tasks"]

# The tasks that are the same on all data, by name.
TASKS: dict[str, Task] = {
    task.name: task for task in (*dogs.TASKS, *digits.TASKS, *fashion.TASKS, *cifar.TASKS)
}
ALIASES = {"mnist": "id"}
# The families that are split into many tasks: the form of a name, and what such a task is.
FAMILIES = {
    "cifar10": ("cifar10:<class>", "CIFAR-10: is it of that class or not"),
    "cifar100": ("cifar100:<superclass>", "the five fine classes of one superclass"),
    "omniglot": ("omniglot:<alphabet>", "the characters of one alphabet"),
}

# Returns the characters of each alphabet in the data, in order.
Alphabets = Callable[[], dict[str, list[str]]]


def find_tasks(names: Iterable[str], alphabets: Alphabets) -> list[Task]:
    """Returns the tasks of these names; a name such as `cifar10:*` stands for several.

    Args:
        alphabets: called only where a task of Omniglot is named.

    Raises:
        RequestError: there is no such task; the message names the tasks there are.
    """
    return [task for name in names for task in tasks_named(name, alphabets)]


def tasks_named(name: str, alphabets: Alphabets) -> Sequence[Task]:
    """Returns the task of that name, or all tasks that it stands for."""
    name = ALIASES.get(name, name)
    family, colon, member = name.partition(":")
    if name in TASKS:
        return [TASKS[name]]
    if name == "omniglot":
        return [omniglot.whole(alphabets())]
    if not colon or family not in FAMILIES:
        known = [*TASKS, "omniglot", *(form for form, _ in FAMILIES.values())]
        raise RequestError(
            f"--tasks: no task {name!r}{nearest(name, [*known, *ALIASES])}; there are "
            f"{', '.join(known)} (--list-tasks describes them)"
        )
    members = members_of(family, alphabets)
    if member == "*":
        return list(members.values())
    by_number = {str(number): task for number, task in enumerate(members.values())}
    if member not in by_number | members:
        raise RequestError(
            f"--tasks: {name}: {family} has no {member!r}{nearest(member, members)}; it has "
            f"{', '.join(members)}; or name a number from 0 to {len(members) - 1}, or * for all"
        )
    return [(by_number | members)[member]]


def members_of(family: str, alphabets: Alphabets) -> dict[str, Task]:
    """Returns the tasks of a family by the part of their names after the colon."""
    if family == "cifar10":
        return cifar.class_tasks()
    return (
        cifar.superclass_tasks() if family == "cifar100" else omniglot.alphabet_tasks(alphabets())
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns a hint at the known name that is most like this one, or nothing."""
    matches = difflib.get_close_matches(name.lower(), known, n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""


def describe_tasks() -> str:
    """Returns a line for each task: its name and its description."""
    described = {task.name: task.description for task in TASKS.values()}
    described["omniglot"] = "Omniglot's characters of all alphabets in the data"
    described |= dict(FAMILIES.values())
    described |= {alias: f"another name for {name}" for alias, name in ALIASES.items()}
    width = max(map(len, described))
    return "\n".join(f"{name:{width}}  {text}" for name, text in described.items())
