"""The training loop: train a stretch of steps, log, test, switch task, and save."""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from statistics import fmean

import tensorflow as tf

from data.dataset import Dataset
from display import Display
from errors import RunError
from feed import by_feed, make_learners
from loops import EvaluationLoop, Tally, TrainingLoop
from model import build_network, build_optimizer
from networks.columns import CrossStitch
from profiling import profile
from runlog import RunLog, told_in_a_line
from schedule import make_schedule, relative_weights, stretch_end
from tasks import Task

# How many steps are run at most before progress is shown and a signal is answered.
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
        self.step = 0  # how many steps are done
        self.history: list[dict] = []  # the tests, as in metrics.jsonl

    def loop_for(self, tasks: tuple[int, ...]) -> TrainingLoop:
        """The loop that trains these tasks together, compiled when it is first needed."""
        if tasks not in self.loops:
            weights = relative_weights(self.settings) if len(tasks) > 1 else [1.0]
            learners = [self.learners[task] for task in tasks]
            self.loops[tasks] = TrainingLoop(
                learners, weights, self.network, self.optimizer, self.settings
            )
        return self.loops[tasks]

    def run(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> None:
        """Trains to the last step, or until `stopped` says so, and saves.

        Raises:
            RunError: the loss is no longer a number, or TensorFlow could not go on.
        """
        with told_in_a_line(lambda: f"at step {self.step}"):
            self.train_to_the_end(log, display, stopped)

    def train_to_the_end(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> None:
        """The loop itself."""
        settings = self.settings
        # What each task's steps came to since the last point of the training curves.
        tallies: dict[int, Tally] = defaultdict(Tally)
        self.test(log, display, trained=())
        while self.step < settings.max_steps and not stopped():
            trained = self.schedule.tasks_at(self.step)
            for index, tally in self.train_stretch(trained, log).items():
                tallies[index] += tally
            display.progress(self.step, trained)
            if self.due(settings.train_summary_frequency):
                self.log_training(log, trained, tallies)
                tallies.clear()
            if self.due(settings.test_frequency):
                self.test(log, display, trained)
        log.finish()
        self.save(log)

    def due(self, frequency: int) -> bool:
        """Whether the steps done call for what is done every `frequency` steps and at the end."""
        return self.step % frequency == 0 or self.step == self.settings.max_steps

    def train_stretch(self, trained: tuple[int, ...], log: RunLog) -> dict[int, Tally]:
        """Trains these tasks up to the next step at which something else is to be done."""
        settings = self.settings
        end = stretch_end(
            self.step,
            stops=(settings.max_steps, self.schedule.next_switch(self.step)),
            periods=(
                settings.train_summary_frequency,
                settings.test_frequency,
                settings.train_metadata_frequency if settings.trace else LONGEST_STRETCH,
                LONGEST_STRETCH,
            ),
        )
        seen = self.schedule.steps_trained(trained[0], self.step) * settings.batch
        traced = settings.trace and self.step % settings.train_metadata_frequency == 0
        with profile(log.folder / "train", self.step) if traced else nullcontext():
            tallies = self.loop_for(trained).train(self.step, end, seen)
        for index, tally in tallies.items():
            doing = f"training task {settings.tasks[index]} in steps {self.step} to {end}"
            self.check_finite(tally, doing)
        self.step = end
        return tallies

    def check_finite(self, tally: Tally, doing: str) -> None:
        """Ends a run whose numbers have become none."""
        if not math.isfinite(tally.loss):
            raise RunError(
                f"the loss became {tally.loss} {doing}, at learning rate "
                f"{self.settings.learning_rate:g}; start again with a smaller --learning-rate"
            )

    def log_training(
        self, log: RunLog, trained: tuple[int, ...], tallies: dict[int, Tally]
    ) -> None:
        """Writes what the steps since the last point came to, and each trained task's share."""
        total = sum(tallies.values(), Tally())
        learning_rate = float(self.optimizer.learning_rate)
        values = {"accuracy": total.accuracy, "loss": total.loss, "learning_rate": learning_rate}
        if len(trained) == 1:
            values["task"] = trained[0]
        log.scalars("train", self.step, values)
        for index, tally in tallies.items():
            values = {"accuracy": tally.accuracy, "loss": tally.loss}
            log.scalars(f"train_{log.curves[index]}", self.step, values)

    def test(self, log: RunLog, display: Display, trained: tuple[int, ...]) -> None:
        """Tests every task after a step that trained some of them (none before the first step)."""
        by_index = {i: tally for loop in self.evaluations for i, tally in loop.test().items()}
        tallies = [by_index[index] for index in range(len(self.learners))]
        for name, tally in zip(self.settings.tasks, tallies, strict=True):
            self.check_finite(tally, f"testing task {name} after step {self.step}")
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

    def checkpoint(self) -> tf.train.Checkpoint:
        """All that is saved: the network and the optimiser."""
        return tf.train.Checkpoint(
            trunk=self.network.trunk, heads=self.network.heads, optimizer=self.optimizer
        )

    def save(self, log: RunLog) -> None:
        """Saves the network and the optimiser as they are at this step."""
        manager = tf.train.CheckpointManager(
            self.checkpoint(), str(log.folder / "checkpoints"), max_to_keep=1
        )
        manager.save(checkpoint_number=self.step)

    def graph(self) -> tf.Graph:
        """The network's graph, from a batch of the first task's images to each task's logits."""
        shape = self.learners[0].feed.train.images.shape[1:]
        images = tf.TensorSpec((None, *shape), tf.float32)
        tasks = range(len(self.network.heads))
        network = tf.function(
            lambda images: self.network.logits(images, tasks, training=False), autograph=False
        )
        return network.get_concrete_function(images).graph
