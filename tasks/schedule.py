"""The order of the tasks: which are trained at a step, and where a chunk of steps must end.

Steps are counted from 0: after step `s`, `s + 1` steps are done.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from settings import TaskSettings
from settings.randomness import Stream, stream_key

# Steps that are drawn at once.
BLOCK = 16_384
# Steps among which a random schedule looks for the next switch: no chunk has more.
LOOKAHEAD = 1_024
# Steps that are drawn at the start of a run to count each task's: it takes a quarter of a second.
MAX_COUNTED = 10**7


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
    """Draws the task of every step, with probabilities in proportion to `weights`.

    The draws are made in blocks, when they are asked for: a run may have more steps than fit into
    memory.
    """

    def __init__(self, weights: Sequence[float], seed: int) -> None:
        self.weights = tuple(weights)
        bounds = np.cumsum(weights, dtype=np.float64)
        self.bounds = bounds / bounds[-1]
        self.key = stream_key(seed, Stream.SCHEDULE)
        self.block = lru_cache(maxsize=2)(self.draw_block)
        self.begin_count()

    def draw_block(self, number: int) -> np.ndarray:
        """Draws the tasks of the steps from `number` * BLOCK on, [BLOCK] int64."""
        # A step takes one number of the generator.
        bits = np.random.PCG64(self.key).advance(number * BLOCK)
        draws = np.random.Generator(bits).random(BLOCK)
        return np.searchsorted(self.bounds, draws, side="right")

    def drawn(self, start: int, end: int) -> np.ndarray:
        """Returns the tasks of the steps in [start, end), which is not empty, [N] int64."""
        first, last = start // BLOCK, (end - 1) // BLOCK
        blocks = [self.block(number) for number in range(first, last + 1)]
        tasks = blocks[0] if first == last else np.concatenate(blocks)
        return tasks[start - first * BLOCK : end - first * BLOCK]

    def tasks_at(self, step: int) -> tuple[int, ...]:
        """Returns the indices of the tasks trained at `step`: here one."""
        return (int(self.block(step // BLOCK)[step % BLOCK]),)

    def next_switch(self, step: int) -> float:
        """Returns the first step after `step` that draws another task.

        Returns:
            Infinity where none of the next LOOKAHEAD does.
        """
        step = max(step, 0)
        drawn = self.drawn(step, step + LOOKAHEAD + 1)
        others = drawn != drawn[0]
        return step + int(others.argmax()) if others.any() else math.inf

    def steps_trained(self, task: int, step: int) -> int:
        """Counts the steps before `step` that trained `task`."""
        if not self.weights[task] or not step:
            return 0
        self.count_to(step)
        rest = self.drawn(self.counted, step) == task if step > self.counted else ()
        return int(self.trained[task] + np.count_nonzero(rest))

    def switches(self, step: int) -> int:
        """Counts the switches of task within the steps before `step`."""
        if not step:
            return 0
        self.count_to(step)
        return self.switched + self.switches_within(self.counted, step)

    def switches_within(self, start: int, end: int) -> int:
        """Counts the steps in [start, end) that train another task than the step before."""
        return int(np.count_nonzero(np.diff(self.drawn(max(start - 1, 0), end))))

    def begin_count(self) -> None:
        """Sets the counts of whole blocks to those of none."""
        self.counted = 0  # the steps that the next two count
        self.trained = np.zeros(len(self.weights), np.int64)
        self.switched = 0

    def count_to(self, step: int) -> None:
        """Brings the counts to the beginning of the block of `step`."""
        if step < self.counted:
            self.begin_count()
        while (end := self.counted + BLOCK) <= step:
            self.trained += np.bincount(self.drawn(self.counted, end), minlength=len(self.weights))
            self.switched += self.switches_within(self.counted, end)
            self.counted = end


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
        return Random(relative_weights(settings), seed)
    return Joint(tasks) if settings.schedule == "joint" else Cycle(tasks, settings.task_time)


def relative_weights(settings: TaskSettings) -> list[float]:
    """Returns each task's weight, scaled to a mean of 1: all 1 where none were given."""
    given = settings.task_weights or [1.0] * len(settings.tasks)
    largest = max(given)  # first, so that no sum of them overflows or vanishes
    shares = [weight / largest for weight in given]
    mean = math.fsum(shares) / len(shares)
    return [share / mean for share in shares]


def count_steps(schedule: Schedule, task: int, step: int) -> int | None:
    """Counts the steps before `step` that train `task`; None where too many have to be drawn."""
    if step > MAX_COUNTED and isinstance(schedule, Random) and schedule.weights[task]:
        return None
    return schedule.steps_trained(task, step)


def loss_weights(settings: TaskSettings) -> list[float]:
    """Returns the factor of each task's loss in the loss of a step that trains all tasks.

    They are of mean 1 for a sum of the losses, and of sum 1 for a mean.
    """
    weights = relative_weights(settings)
    return weights if settings.joint_loss == "sum" else [each / len(weights) for each in weights]


def chunk_end(step: int, stops: Iterable[float], periods: Iterable[int]) -> int:
    """Returns the end of the chunk of steps that begins at `step`.

    That is the first of `stops` (each beyond `step`) or of the multiples of `periods` after `step`.
    """
    return min(*stops, *((step // period + 1) * period for period in periods))
