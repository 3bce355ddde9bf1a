"""The tasks on CIFAR-10 and CIFAR-100: each whole, or split by class or superclass."""

from data.class_names import CIFAR10, CIFAR100, CIFAR100_FINE
from tasks.task import Task

TASKS = (
    Task("cifar10", "cifar10", "CIFAR-10's ten classes of color photographs"),
    Task("cifar100", "cifar100", "CIFAR-100's hundred fine classes", classes=100),
)


def class_tasks() -> dict[str, Task]:
    """Returns a task for each class of CIFAR-10, by its name: that class or not."""
    return {
        name: Task(
            f"cifar10:{name}",
            "cifar10",
            f"CIFAR-10: {name} or not",
            classes=2,
            labels=tuple(int(other == name) for other in CIFAR10),
            class_names=(f"not {name}", name),
        )
        for name in CIFAR10
    }


def superclass_tasks() -> dict[str, Task]:
    """Returns a task for each superclass of CIFAR-100, by its name: its five fine classes."""
    return {
        name: Task(
            f"cifar100:{name}",
            "cifar100",
            f"CIFAR-100's {', '.join(members)}",
            classes=len(members),
            labels=tuple(members.index(c) if c in members else -1 for c in CIFAR100_FINE),
            class_names=members,
        )
        for name, members in CIFAR100.items()
    }
