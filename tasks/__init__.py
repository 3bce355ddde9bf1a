"""The tasks, by the names that --tasks takes."""

import difflib
from collections.abc import Callable, Iterable, Sequence

from errors import RequestError
from tasks import cifar, digits, dogs, fashion, omniglot
from tasks.task import Seeds, Task

__all__ = ["TASKS", "Seeds", "Task", "describe_tasks", "find_tasks"]

# The tasks whose names stand by themselves. `omniglot` and those below depend on the data.
TASKS: dict[str, Task] = {
    task.name: task for task in (*dogs.TASKS, *digits.TASKS, *fashion.TASKS, *cifar.TASKS)
}
# What is cut into many tasks, how the name of one is written, and what it is.
FAMILIES = {
    "cifar10": ("cifar10:<class>", "CIFAR-10: is it of that class or not"),
    "cifar100": ("cifar100:<superclass>", "the five fine classes of one superclass"),
    "omniglot": ("omniglot:<alphabet>", "the characters of one alphabet"),
}

# Which alphabets the data has: the characters of each, in order.
Alphabets = Callable[[], dict[str, list[str]]]


def find_tasks(names: Iterable[str], alphabets: Alphabets) -> list[Task]:
    """The tasks of these names; a name such as `cifar10:*` stands for several.

    Args:
        alphabets: called only where a task of Omniglot is named.

    Raises:
        RequestError: there is no such task; the message says which there are.
    """
    return [task for name in names for task in tasks_named(name, alphabets)]


def tasks_named(name: str, alphabets: Alphabets) -> Sequence[Task]:
    """The task of that name, or all those that it stands for."""
    family, colon, member = name.partition(":")
    if name in TASKS:
        return [TASKS[name]]
    if name == "omniglot":
        return [omniglot.whole(alphabets())]
    if not colon or family not in FAMILIES:
        known = [*TASKS, "omniglot"]
        raise RequestError(
            f"--tasks: no task {name!r}{meant(name, known)}; there are {describe_tasks(', ')}"
        )
    members = members_of(family, alphabets)
    if member == "*":
        return list(members.values())
    by_number = {str(number): task for number, task in enumerate(members.values())}
    if member not in by_number | members:
        raise RequestError(
            f"--tasks: {name}: {family} has no {member!r}{meant(member, members)}; it has "
            f"{', '.join(members)}; a number from 0 to {len(members) - 1} is one too, and * is all"
        )
    return [(by_number | members)[member]]


def members_of(family: str, alphabets: Alphabets) -> dict[str, Task]:
    """The tasks that a dataset is cut into, by what stands after the colon."""
    if family == "cifar10":
        return cifar.class_tasks()
    return (
        cifar.superclass_tasks() if family == "cifar100" else omniglot.alphabet_tasks(alphabets())
    )


def meant(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like this one, if one is."""
    matches = difflib.get_close_matches(name.lower(), known, n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""


def describe_tasks(separator: str) -> str:
    """Each task's name and what it is."""
    described = {task.name: task.description for task in TASKS.values()}
    described["omniglot"] = "Omniglot's characters of all alphabets that are there"
    described |= dict(FAMILIES.values())
    width = max(map(len, described)) if separator == "\n" else 0
    return separator.join(f"{name:{width}} ({text})" for name, text in described.items())
