"""The metrics of a run under way, at the end of each turn."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from reports.matrix import ends_turn
from reports.metrics import steps_until
from runs.history import Evaluation
from tasks.schedule import Random, Schedule


class MetricsSoFar:
    """The metrics that are known at the end of a turn, as `measure` returns them of a run until it.

    Each turn takes equally long, however many there were before.
    """

    def __init__(self, schedule: Schedule, history: Sequence[Evaluation] = ()) -> None:
        """Begins after the evaluations of a run that is resumed."""
        self.schedule = schedule
        self.applies = not isinstance(schedule, Random)
        self.turns = 0  # that have ended
        self.turn: list[Evaluation] = []  # of the turn, the one at its start first
        self.highest: np.ndarray | None = None  # [T], of the ends of turns but the last
        self.ends: dict[int, float] = {}  # by task: its accuracy at the end of its last turn
        self.lost: dict[int, float] = {}  # by task, at its last return
        self.relearning: dict[int, float] = {}  # the steps of the same
        for evaluation in history:
            self.add(evaluation)

    def add(self, evaluation: Evaluation) -> dict[str, float]:
        """Takes in the next evaluation; where it ends a turn, returns the metrics known by then.

        They are `forgetting`, `forgetting_per_return` and `relearning_steps`, and
        `average_accuracy_so_far`, the mean over the tasks that were trained until then.
        """
        if not self.applies:
            return {}
        self.turn.append(evaluation)
        step = evaluation.step
        # As for `make_matrix`: the first is before training, and no turn's end is left out.
        begun = self.turns > 0 or not self.turn[0].step
        self.applies = begun and (not step or self.schedule.switches(step) == self.turns)
        if not self.applies or not step or not ends_turn(self.schedule, step):
            return {}
        (task,) = self.schedule.tasks_at(step - 1)
        if task in self.ends:
            self.lost[task] = self.ends[task] - self.turn[0].accuracy[task]
            steps = steps_until(self.ends[task], task, self.turn)
            self.relearning[task] = min(steps, step - self.turn[0].step)
        self.ends[task] = evaluation.accuracy[task]
        accuracy = np.array(evaluation.accuracy)
        earlier = [each for each in self.ends if each != task]
        found = {"average_accuracy_so_far": float(accuracy[list(self.ends)].mean())}
        if self.highest is None:
            self.highest = accuracy
        elif earlier:
            found["forgetting"] = float((self.highest - accuracy)[earlier].mean())
        if self.lost:
            found["forgetting_per_return"] = fmean(self.lost.values())
            found["relearning_steps"] = fmean(self.relearning.values())
        self.highest = np.maximum(self.highest, accuracy)
        self.turns += 1
        self.turn = [evaluation]
        return found
