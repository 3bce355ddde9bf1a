"""The order of the tasks: which are trained at a step, and where a chunk of steps must end.

Steps are counted from 0: after step `s`, `s + 1` steps are done.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from settings import TaskSettings
from settings.randomness import Stream, stream_key


@dataclass(frozen=True)
class Cycle:
    """Trains the tasks in turn, `task_time` steps each, over and over."""

    tasks: int
    task_time: int

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """Returns the indices of the tasks trained at `step`: here one."""
        return (step // self.task_time % self.tasks,)

    def next_switch(self, step: int) -> float:
        """Returns the first step after `step` that begins a turn; infinity where none does."""
        return (step // self.task_time + 1) * self.task_time if self.tasks > 1 else math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """Counts the steps before `step` that trained `task`."""
        rounds, rest = divmod(step, self.tasks * self.task_time)
        this_round = min(max(rest - task * self.task_time, 0), self.task_time)
        return rounds * self.task_time + this_round

    def switches(self, step: int) -> int:
        """Counts the switches of task within the steps before `step`."""
        return max(step - 1, 0) // self.task_time if self.tasks > 1 else 0


class Random:
    """Draws the task of every step, with probabilities in proportion to `weights`."""

    def __init__(self, weights: Sequence[float], steps: int, seed: int) -> None:
        """Draws all `steps` at once; a longer run begins with the same draws."""
        bounds = np.cumsum(weights, dtype=np.float64)
        draws = np.random.default_rng(stream_key(seed, Stream.SCHEDULE)).random(steps)
        self.drawn = np.searchsorted(bounds / bounds[-1], draws, side="right")  # [steps] int64
        self.weights = tuple(weights)

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """Returns the indices of the tasks trained at `step`: here one."""
        return (int(self.drawn[step]),)

    def next_switch(self, step: int) -> float:
        """Returns the first step after `step` that draws another task; infinity where none does."""
        later = np.searchsorted(self.changes, step, side="right")
        return int(self.changes[later]) if later < len(self.changes) else math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """Counts the steps before `step` that trained `task`."""
        return int(np.searchsorted(self.steps_of[task], step))

    def switches(self, step: int) -> int:
        """Counts the switches of task within the steps before `step`."""
        return int(np.searchsorted(self.changes, step))

    @cached_property
    def changes(self) -> np.ndarray:
        """The steps that train another task than the step before, in order, [N] int64."""
        return np.flatnonzero(np.diff(self.drawn)) + 1

    @cached_property
    def steps_of(self) -> list[np.ndarray]:
        """The steps that train each task, in order, each [N] int64."""
        return [np.flatnonzero(self.drawn == task) for task in range(len(self.weights))]


@dataclass(frozen=True)
class Joint:
    """Trains all tasks at every step."""

    tasks: int

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """Returns the indices of the tasks trained at `step`: here all."""
        return tuple(range(self.tasks))

    def next_switch(self, step: int) -> float:
        """Returns infinity: there is no switch."""
        return math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """Counts the steps before `step` that trained `task`: all of them."""
        return step

    def switches(self, step: int) -> int:
        """Counts the switches of task within the steps before `step`: none."""
        return 0


Schedule = Cycle | Random | Joint


def make_schedule(settings: TaskSettings, seed: int) -> Schedule:
    """Returns the schedule that the settings name; `relative_weights` defines the weights."""
    tasks = len(settings.tasks)
    if settings.schedule == "random":
        return Random(relative_weights(settings), settings.max_steps, seed)
    return Joint(tasks) if settings.schedule == "joint" else Cycle(tasks, settings.task_time)


def relative_weights(settings: TaskSettings) -> list[float]:
    """Returns each task's weight, scaled to a mean of 1: all 1 where none were given."""
    given = settings.task_weights or [1.0] * len(settings.tasks)
    largest = max(given)  # first, so that no sum of them overflows or vanishes
    shares = [weight / largest for weight in given]
    mean = math.fsum(shares) / len(shares)
    return [share / mean for share in shares]


def chunk_end(step: int, stops: Iterable[float], periods: Iterable[int]) -> int:
    """Returns the end of the chunk of steps that begins at `step`.

    That is the first of `stops` (each beyond `step`) or of the multiples of `periods` after `step`.
    """
    return min(*stops, *((step // period + 1) * period for period in periods))
