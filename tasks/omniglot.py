"""The tasks on Omniglot's handwritten characters: of all alphabets, or of one.

Their numbers of classes depend on the alphabets in the files.
"""

from tasks.task import Task


def whole(alphabets: dict[str, list[str]]) -> Task:
    """Returns the task of all characters; `alphabets` has those of each alphabet, in order."""
    characters = sum(map(len, alphabets.values()))
    return Task("omniglot", "omniglot", f"Omniglot's {characters} characters", classes=characters)


def alphabet_tasks(alphabets: dict[str, list[str]]) -> dict[str, Task]:
    """Returns a task for each alphabet, by its name: its characters."""
    owners = [alphabet for alphabet, characters in alphabets.items() for _ in characters]
    return {
        name: Task(
            f"omniglot:{name}",
            "omniglot",
            f"Omniglot's {len(characters)} characters of {name}",
            classes=len(characters),
            labels=tuple(i - owners.index(name) if o == name else -1 for i, o in enumerate(owners)),
            class_names=tuple(characters),
        )
        for name, characters in alphabets.items()
    }
