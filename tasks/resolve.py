"""Checks of the tasks' settings, and what follows from them."""

from dataclasses import replace
from functools import cache

from data.catalog import CATALOG
from errors import RequestError
from settings import DataSettings, TaskSettings
from settings.setting import default_of
from tasks import TASKS, Task, find_tasks


def choose_tasks(tasks: TaskSettings, data: DataSettings, quiet: bool) -> list[Task]:
    """Returns the tasks that --tasks names, in its order.

    Raises:
        RequestError: there is no such task, or --fake-data cannot draw its images.
    """

    @cache
    def alphabets() -> dict[str, list[str]]:
        from data.omniglot import find_alphabets

        return find_alphabets(data.data_dir, quiet)

    for name in tasks.tasks:
        if data.fake_data and not can_be_drawn(name):
            raise RequestError(
                f"--fake-data: there are no drawn pictures for the task {name}; leave --fake-data "
                "out, or choose tasks on digits and dogs"
            )
    return find_tasks(tasks.tasks, alphabets)


def can_be_drawn(name: str) -> bool:
    """Tells whether the task's images can be drawn; True for a name that is no task's."""
    family = name.partition(":")[0]
    dataset = TASKS[family].dataset if family in TASKS else family
    return dataset not in CATALOG or CATALOG[dataset].can_be_drawn


def resolve_schedule(settings: TaskSettings) -> TaskSettings:
    """Checks the schedule's settings, and sets those that were left out.

    Args:
        settings: of which `tasks` are resolved.

    Raises:
        RequestError: the settings cannot work together.
    """
    cycle, joint = (settings.schedule == each for each in ("cycle", "joint"))
    if settings.task_time and not cycle:
        raise RequestError(
            f"--task-time: --schedule {settings.schedule} has no turns; leave one of them out"
        )
    if settings.joint_loss and not joint:
        raise RequestError(
            f"--joint-loss: --schedule {settings.schedule} trains one task at a step; name "
            "--schedule joint, or leave it out"
        )
    check_weights(settings)
    task_time = settings.task_time or default_of(TaskSettings, "task_time")
    joint_loss = settings.joint_loss or default_of(TaskSettings, "joint_loss")
    max_steps = settings.max_steps
    if settings.epochs is None and max_steps is None:
        max_steps = default_of(TaskSettings, "max_steps")
    return replace(
        settings,
        task_time=task_time if cycle else None,
        joint_loss=joint_loss if joint else None,
        max_steps=max_steps,
    )


def check_weights(settings: TaskSettings) -> None:
    """Refuses weights of tasks that the schedule has no use for, or that fit no task."""
    weights = settings.task_weights
    if weights is None:
        return
    if settings.schedule == "cycle":
        raise RequestError(
            "--task-weights: --schedule cycle gives every task the same time; name --schedule "
            "random or joint, or leave it out"
        )
    if len(weights) != len(settings.tasks):
        raise RequestError(
            f"--task-weights: expected {len(settings.tasks)} numbers, one for each task, got "
            f"{len(weights)}; the tasks are {' '.join(settings.tasks)}"
        )
    if not any(weights):
        raise RequestError("--task-weights: all are 0; at least one task must have a weight")
