"""Which task is trained at a step, and how far the loop may run before it must look up."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Cycle:
    """The tasks in turn, `task_time` steps each, over and over.

    Steps are counted from 0: step `s` is the one that makes the number of steps done `s + 1`.
    """

    tasks: int
    task_time: int

    def task_at(self, step: int) -> int:
        """The index of the task that is trained at `step`."""
        return step // self.task_time % self.tasks

    def next_switch(self, step: int) -> int:
        """The first step after `step` at which a turn ends."""
        return (step // self.task_time + 1) * self.task_time

    def steps_trained(self, task: int, step: int) -> int:
        """How many of the steps before `step` trained `task`."""
        rounds, rest = divmod(step, self.tasks * self.task_time)
        this_round = min(max(rest - task * self.task_time, 0), self.task_time)
        return rounds * self.task_time + this_round


def stretch_end(step: int, stops: Iterable[int], periods: Iterable[int]) -> int:
    """Where the stretch of steps that begins at `step` ends.

    That is the first of `stops` (each beyond `step`) or of the multiples of `periods` after `step`.
    """
    return min(*stops, *((step // period + 1) * period for period in periods))
