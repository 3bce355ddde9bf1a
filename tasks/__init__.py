"""The tasks, by the name that --tasks takes."""

from tasks import digits, dogs
from tasks.task import CHANNELS, Seeds, Task

__all__ = ["CHANNELS", "TASKS", "Seeds", "Task"]

TASKS: dict[str, Task] = {task.name: task for task in (*dogs.TASKS, *digits.TASKS)}
