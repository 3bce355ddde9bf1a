"""Which tasks are trained at a step, and how far the loop may run before it must look up.

Steps are counted from 0: step `s` is the one that makes the number of steps done `s + 1`.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from settings.randomness import Stream, stream_key


@dataclass(frozen=True)
class Cycle:
    """The tasks in turn, `task_time` steps each, over and over."""

    tasks: int
    task_time: int

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """The indices of the tasks that are trained at `step`: here always one."""
        return (step // self.task_time % self.tasks,)

    def next_switch(self, step: int) -> float:
        """The first step after `step` at which a turn ends; infinite where none does."""
        return (step // self.task_time + 1) * self.task_time if self.tasks > 1 else math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """How many of the steps before `step` trained `task`."""
        rounds, rest = divmod(step, self.tasks * self.task_time)
        this_round = min(max(rest - task * self.task_time, 0), self.task_time)
        return rounds * self.task_time + this_round

    def switches(self, step: int) -> int:
        """How often the task changed within the steps before `step`."""
        return max(step - 1, 0) // self.task_time if self.tasks > 1 else 0


class Random:
    """Every step draws its task, with probabilities in proportion to `weights`."""

    def __init__(self, weights: Sequence[float], steps: int, seed: int) -> None:
        """Draws all of the `steps` at once; a longer run begins with the same draws."""
        bounds = np.cumsum(weights, dtype=np.float64)
        draws = np.random.default_rng(stream_key(seed, Stream.SCHEDULE)).random(steps)
        self.drawn = np.searchsorted(bounds / bounds[-1], draws, side="right")  # [steps] int64
        self.weights = tuple(weights)

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """The indices of the tasks that are trained at `step`: here always one."""
        return (int(self.drawn[step]),)

    def next_switch(self, step: int) -> float:
        """The first step after `step` at which another task is drawn; infinite where none is."""
        later = np.searchsorted(self.changes, step, side="right")
        return int(self.changes[later]) if later < len(self.changes) else math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """How many of the steps before `step` trained `task`."""
        return int(np.searchsorted(self.steps_of[task], step))

    def switches(self, step: int) -> int:
        """How often the task changed within the steps before `step`."""
        return int(np.searchsorted(self.changes, step))

    @cached_property
    def changes(self) -> np.ndarray:
        """The steps that train another task than the step before them, in order, [N] int64."""
        return np.flatnonzero(np.diff(self.drawn)) + 1

    @cached_property
    def steps_of(self) -> list[np.ndarray]:
        """The steps that train each task, in order, each [N] int64."""
        return [np.flatnonzero(self.drawn == task) for task in range(len(self.weights))]


@dataclass(frozen=True)
class Joint:
    """Every step trains all tasks."""

    tasks: int

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """The indices of the tasks that are trained at `step`: here always all."""
        return tuple(range(self.tasks))

    def next_switch(self, step: int) -> float:
        """Infinite: there is no switch."""
        return math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """How many of the steps before `step` trained `task`: all of them."""
        return step

    def switches(self, step: int) -> int:
        """How often the task changed within the steps before `step`: never."""
        return 0


Schedule = Cycle | Random | Joint


def make_schedule(settings: argparse.Namespace) -> Schedule:
    """The schedule that the flags name; see `relative_weights` for what weights are."""
    tasks = len(settings.tasks)
    if settings.schedule == "random":
        return Random(relative_weights(settings), settings.max_steps, settings.seed)
    return Joint(tasks) if settings.schedule == "joint" else Cycle(tasks, settings.task_time)


def relative_weights(settings: argparse.Namespace) -> list[float]:
    """Each task's weight, scaled so that their mean is 1: all 1 where the flags name none."""
    given = settings.task_weights or [1.0] * len(settings.tasks)
    largest = max(given)  # first, so that no sum of them is too large or too small for a float
    shares = [weight / largest for weight in given]
    mean = math.fsum(shares) / len(shares)
    return [share / mean for share in shares]


def stretch_end(step: int, stops: Iterable[float], periods: Iterable[int]) -> int:
    """Where the stretch of steps that begins at `step` ends.

    That is the first of `stops` (each beyond `step`) or of the multiples of `periods` after `step`.
    """
    return min(*stops, *((step // period + 1) * period for period in periods))
