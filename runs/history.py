"""The evaluations of a run, and its `metrics.jsonl`, which has a line for each."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from errors import RequestError
from files import read_regular
from settings.values import MAX_COUNT, MAX_EXAMPLES, MAX_FLOAT

METRICS = "metrics.jsonl"
MOST = MAX_COUNT * MAX_EXAMPLES  # examples in any number of steps


@dataclass
class Tally:
    """Counts of a task's examples, in some training steps or in an evaluation."""

    examples: int = 0
    correct: int = 0
    loss_sum: float = 0.0  # cross-entropy over the examples, in nats

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Tally":
        """Reads a tally of at least one example.

        Raises:
            TypeError, ValueError: it is not one.
        """
        tally = cls(**stored)
        counts = type(tally.examples) is type(tally.correct) is int
        if not counts or not 0 <= tally.correct <= tally.examples or not 0 < tally.examples <= MOST:
            raise ValueError(f"expected counts of examples, got {stored!r:.60}")
        if not is_number(tally.loss_sum) or tally.loss > MAX_FLOAT:
            raise ValueError(f"expected a finite sum of losses, got {tally.loss_sum!r:.60}")
        return tally

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.examples + other.examples,
            self.correct + other.correct,
            self.loss_sum + other.loss_sum,
        )

    @property
    def accuracy(self) -> float:
        """The share of the examples that were classified correctly, 0 to 1."""
        return self.correct / self.examples

    @property
    def loss(self) -> float:
        """The mean cross-entropy, in nats."""
        return self.loss_sum / self.examples


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of all tasks, each on its whole test set."""

    step: int  # the number of steps done
    # The index of the task that the last step trained; None before the first step, and where a
    # step trains several tasks.
    trained: int | None
    accuracy: tuple[float, ...]  # of each task, 0 to 1
    loss: tuple[float, ...]  # mean cross-entropy of each task, in nats

    @property
    def mean_accuracy(self) -> float:
        """The mean of the tasks' accuracies."""
        return fmean(self.accuracy)

    def to_json(self) -> dict[str, Any]:
        """Returns the evaluation as JSON can hold it."""
        return {
            "step": self.step,
            "trained": self.trained,
            "accuracy": list(self.accuracy),
            "loss": list(self.loss),
            "mean_accuracy": self.mean_accuracy,
        }

    @property
    def line(self) -> str:
        """The evaluation as a line of `metrics.jsonl`."""
        return json.dumps(self.to_json(), allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, stored: object, tasks: int, last_step: int = -1) -> "Evaluation":
        """Reads what `to_json` returned.

        Args:
            tasks: the number of tasks.
            last_step: the step of the evaluation before.

        Raises:
            ValueError: it is not the evaluation of so many tasks after the last step.
        """
        if not isinstance(stored, dict):
            raise ValueError("it is not an evaluation in JSON")
        step, accuracy = stored.get("step"), stored.get("accuracy")
        trained, loss = stored.get("trained"), stored.get("loss")
        if type(step) is not int or not last_step < step <= MAX_COUNT:
            expected = f"expected a step beyond {max(last_step, 0):,}, up to {MAX_COUNT:,}"
            raise ValueError(f"{expected}, got {step!r:.60}")
        shares = isinstance(accuracy, list) and all(
            type(share) in (int, float) and 0 <= share <= 1 for share in accuracy
        )
        if not shares or not accuracy:
            raise ValueError("expected a list of numbers from 0 to 1 as its accuracy")
        if len(accuracy) != tasks:
            raise ValueError(f"expected an accuracy for each of {tasks} tasks, got {len(accuracy)}")
        if trained is not None and (type(trained) is not int or not 0 <= trained < tasks):
            raise ValueError(f"expected the index of a task as trained, got {trained!r:.60}")
        numbers = isinstance(loss, list) and all(map(is_number, loss))
        if loss is not None and not (numbers and len(loss) == tasks):
            raise ValueError(f"expected a finite loss for each of {tasks} tasks")
        return cls(step, trained, tuple(accuracy), tuple(loss or ()))


def is_number(value: object) -> bool:
    """Tells whether a value from JSON is a number that 64 bits can hold."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def read_evaluations(stored: list[object], tasks: int) -> list[Evaluation]:
    """Reads evaluations of so many tasks, each of a later step than the one before.

    Raises:
        ValueError: one is not.
    """
    history: list[Evaluation] = []
    for each in stored:
        history.append(Evaluation.from_json(each, tasks, history[-1].step if history else -1))
    return history


def read_history(run: Path, tasks: int) -> list[Evaluation]:
    """Reads a run's `metrics.jsonl` up to its last whole line; an empty list where it is missing.

    Raises:
        RequestError: the file cannot be read, or a line is not an evaluation of so many tasks.
    """
    path = run / METRICS
    try:
        lines = read_regular(path).split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror})") from error
    *whole, rest = lines
    if parsed(rest) is not None:
        whole.append(rest)  # an editor may have dropped the end of the last line
    history: list[Evaluation] = []
    for number, line in enumerate(whole, start=1):
        try:
            last_step = history[-1].step if history else -1
            history.append(Evaluation.from_json(parsed(line), tasks, last_step))
        except ValueError as error:
            raise RequestError(
                f"{path}, line {number}: {error}; leave this run out, or remove the line"
            ) from error
    return history


def parsed(line: bytes) -> object:
    """Returns the JSON value of a line; None where it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
