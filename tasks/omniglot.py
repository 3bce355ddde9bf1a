"""The tasks on Omniglot's handwritten characters: of all alphabets, or of one.

How many classes they have depends on which alphabets are there, and so on the files.
"""

from tasks.task import Task


def whole(alphabets: dict[str, list[str]]) -> Task:
    """Every character of every alphabet; `alphabets` has the characters of each, in order."""
    characters = sum(map(len, alphabets.values()))
    return Task("omniglot", "omniglot", f"Omniglot's {characters} characters", classes=characters)


def alphabet_tasks(alphabets: dict[str, list[str]]) -> dict[str, Task]:
    """By alphabet: which of its characters is it?"""
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
