"""The task on color photographs of dogs."""

from tasks.task import Task

TASKS = (Task("dog", "dogs", "up to ten breeds of dog, photographs in color"),)
