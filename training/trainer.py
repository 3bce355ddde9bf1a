"""The training loop: train a stretch of steps, save, test, log, and switch task."""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import tensorflow as tf

from data.dataset import Dataset
from errors import RequestError, RunError
from interrupts import Pace
from model import build_network, build_optimizer
from networks.columns import CrossStitch
from runs.checkpoints import Checkpoints
from runs.config import CONFIG
from runs.display import Display
from runs.log import RunLog, told_in_a_line, writing
from runs.profiling import profile
from runs.resume import what_stays
from tasks import Task
from tasks.schedule import make_schedule, relative_weights, stretch_end
from training.feed import by_feed, make_learners
from training.step import Diverged, EvaluationLoop, Tally, TrainingLoop

# How many steps are run at most before progress is shown.
LONGEST_STRETCH = 50


class Trainer:
    """A network, the tasks that it is trained on, and the history of its tests."""

    def __init__(
        self, settings: argparse.Namespace, tasks: list[Task], datasets: dict[str, Dataset]
    ) -> None:
        """Builds the network with its initial weights, and puts the tasks on the device.

        Raises:
            RequestError: the data has none of a task, or pre-trained weights cannot be had.
        """
        self.settings = settings
        self.network = build_network(settings, [task.classes for task in tasks])
        self.optimizer = build_optimizer(settings)
        self.optimizer.build(self.network.trainable_variables)
        self.learners = make_learners(tasks, datasets, settings)
        self.evaluations = [EvaluationLoop(group, self.network) for group in by_feed(self.learners)]
        self.loops: dict[tuple[int, ...], TrainingLoop] = {}  # by the tasks that each trains
        self.schedule = make_schedule(settings)
        self.pace = Pace(LONGEST_STRETCH)  # in steps
        self.step = 0  # how many steps are done
        self.saved: int | None = None  # after how many it was saved last
        self.checkpoints: Checkpoints | None = None  # known once there is a folder
        self.history: list[dict] = []  # the tests, as in metrics.jsonl
        # What each task's steps came to since the last point of the training curves.
        self.tallies: dict[int, Tally] = defaultdict(Tally)

    def loop_for(self, tasks: tuple[int, ...]) -> TrainingLoop:
        """The loop that trains these tasks together, compiled when it is first needed."""
        if tasks not in self.loops:
            weights = relative_weights(self.settings) if len(tasks) > 1 else [1.0]
            learners = [self.learners[task] for task in tasks]
            self.loops[tasks] = TrainingLoop(
                learners, weights, self.network, self.optimizer, self.settings
            )
        return self.loops[tasks]

    def take_up(self, folder: Path) -> dict[str, int] | None:
        """Goes back to what was saved last in a run's folder, in which it is saved from now on.

        Returns:
            The lengths of the log's files then, as `RunLog.sync` has them; None where nothing
            has been saved yet.

        Raises:
            RequestError: all that was saved is damaged, or was saved with other settings.
        """
        self.checkpoints = Checkpoints(folder, self.network, self.optimizer)
        saved = self.checkpoints.restore()
        if saved is None:
            return None
        for name, value in what_stays(self.settings).items():
            if saved["settings"].get(name) != value:
                raise RequestError(
                    f"{folder / CONFIG} has {name} {value}, and the run was saved with "
                    f"{saved['settings'].get(name)}; put that back, or start a new run"
                )
        if saved["step"] > self.settings.max_steps:
            raise RequestError(
                f"{folder / CONFIG} has {self.settings.max_steps} as max_steps, and "
                f"{saved['step']} are done; put back what it had, or start a new run"
            )
        self.step = self.saved = saved["step"]
        self.history = saved["history"]
        self.tallies.update({int(i): Tally(**tally) for i, tally in saved["tallies"].items()})
        return saved["log"]

    def run(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> bool:
        """Trains to the last step, or until `stopped` says so, and saves.

        Returns:
            Whether it came to the end.

        Raises:
            RunError: the loss is no longer a number, a file cannot be written, or TensorFlow
                could not go on.
        """
        with told_in_a_line(lambda: f"at step {self.step}"):
            return self.train_to_the_end(log, display, stopped)

    def train_to_the_end(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> bool:
        """The loop itself.

        A run is saved before anything is logged of its last step. Whoever takes it up, with more
        steps to go or not, so logs what a run does that never ended there.
        """
        settings = self.settings
        while not stopped() and self.log_step(log, display, stopped):
            if self.step == settings.max_steps:
                log.sync()
                return True
            trained = self.schedule.tasks_at(self.step)
            self.train_stretch(trained, log)
            display.progress(self.step, trained)
            if self.due(settings.checkpoint_frequency):
                self.save(log)
        self.save(log)
        return False

    def due(self, frequency: int) -> bool:
        """Whether the steps done call for what is done every `frequency` steps and at the end."""
        return self.step % frequency == 0 or self.step == self.settings.max_steps

    def train_stretch(self, trained: tuple[int, ...], log: RunLog) -> None:
        """Trains these tasks up to the next step at which something else is to be done."""
        settings = self.settings
        traced = settings.trace and self.step % settings.train_metadata_frequency == 0
        end = stretch_end(
            self.step,
            stops=(
                settings.max_steps,
                self.schedule.next_switch(self.step),
                self.step + self.pace.amount,
            ),
            periods=(
                settings.train_summary_frequency,
                settings.test_frequency,
                settings.checkpoint_frequency,
                *([settings.train_metadata_frequency] if settings.trace else []),
            ),
        )
        seen = self.schedule.steps_trained(trained[0], self.step) * settings.batch
        with profile(log.folder / "train", self.step) if traced else nullcontext():
            try:
                with self.pace.measured():
                    tallies = self.loop_for(trained).train(self.step, end, seen)
            except Diverged as end_of_it:
                when = f"in training step {end_of_it.step}"
                raise self.no_number(end_of_it.task, end_of_it.loss, when, end_of_it.last) from None
        for index, tally in tallies.items():
            self.tallies[index] += tally
        self.step = end

    def no_number(self, task: int, loss: float, when: str, last: float = math.nan) -> RunError:
        """What to tell where a task's loss is none; `last` is one from before that was."""
        if not math.isfinite(last) and self.history:
            last = self.history[-1]["loss"][task]
        return RunError(
            f"the loss of task {self.settings.tasks[task]} became {loss} {when}, at learning rate "
            f"{self.settings.learning_rate:g}; the last that was a number is {last:.6g}; start "
            "again with a smaller --learning-rate"
        )

    def log_step(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> bool:
        """Tests and logs what is due after the last step; nothing, and False, where `stopped`."""
        trained = self.schedule.tasks_at(self.step - 1) if self.step else ()
        if self.due(self.settings.test_frequency):
            tallies = self.test(stopped)
            if tallies is None:
                return False
            self.log_test(log, display, trained, tallies)
        if self.step and self.due(self.settings.train_summary_frequency):
            self.log_training(log, trained)
        return True

    def log_training(self, log: RunLog, trained: tuple[int, ...]) -> None:
        """Writes what the steps since the last point came to, and each trained task's share."""
        total = sum(self.tallies.values(), Tally())
        learning_rate = float(self.optimizer.learning_rate)
        values = {"accuracy": total.accuracy, "loss": total.loss, "learning_rate": learning_rate}
        if len(trained) == 1:
            values["task"] = trained[0]
        log.scalars("train", self.step, values)
        for index, tally in self.tallies.items():
            values = {"accuracy": tally.accuracy, "loss": tally.loss}
            log.scalars(f"train_{log.curves[index]}", self.step, values)
        self.tallies.clear()

    def test(self, stopped: Callable[[], bool]) -> list[Tally] | None:
        """Tests every task, in the order of the tasks; None if `stopped` said so in between."""
        by_index = {}
        for loop in self.evaluations:
            tallies = loop.test(stopped)
            if tallies is None:
                return None
            by_index |= tallies
        return [by_index[index] for index in range(len(self.learners))]

    def log_test(
        self, log: RunLog, display: Display, trained: tuple[int, ...], tallies: list[Tally]
    ) -> None:
        """Writes and shows a test after a step that trained some tasks (none before the first)."""
        for index, tally in enumerate(tallies):
            if not math.isfinite(tally.loss):
                raise self.no_number(index, tally.loss, f"when tested after step {self.step}")
        test = {
            "step": self.step,
            "trained": trained[0] if len(trained) == 1 else None,
            "accuracy": [tally.accuracy for tally in tallies],
            "loss": [tally.loss for tally in tallies],
            "mean_accuracy": fmean(tally.accuracy for tally in tallies),
        }
        self.history.append(test)
        log.test(test)
        display.test(test)
        self.log_mixing(log)

    def log_mixing(self, log: RunLog) -> None:
        """Writes what the cross-stitch units have learned, where the network has any."""
        for layer in self.network.trunk.layers:
            if isinstance(layer, CrossStitch):
                log.mixing(layer.name, self.step, layer.mixing.numpy())

    def save(self, log: RunLog) -> None:
        """Saves all that goes on from this step, unless that has been done."""
        if self.saved == self.step:
            return
        state = {
            "step": self.step,
            "settings": what_stays(self.settings),
            "history": self.history,
            "tallies": {index: asdict(tally) for index, tally in self.tallies.items()},
            "log": log.sync(),
        }
        with writing(self.checkpoints.folder, log.folder):
            self.checkpoints.save(self.step, state)
        self.saved = self.step

    def graph(self) -> tf.Graph:
        """The network's graph, from a batch of the first task's images to each task's logits."""
        shape = self.learners[0].feed.train.images.shape[1:]
        images = tf.TensorSpec((None, *shape), tf.float32)
        tasks = range(len(self.network.heads))
        network = tf.function(
            lambda images: self.network.logits(images, tasks, training=False), autograph=False
        )
        return network.get_concrete_function(images).graph
