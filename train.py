"""The training loop: train a stretch of steps, log, test, switch task, and save."""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from statistics import fmean

import tensorflow as tf

from data.dataset import IMAGE_SIZE, Dataset
from display import Display
from errors import RunError
from model import build_network, build_optimizer
from profiling import profile
from runlog import RunLog
from schedule import Cycle, stretch_end
from task_loops import Tally, TaskLoops, to_device
from tasks import CHANNELS, TASKS

# How many steps are run at most before progress is shown and a signal is answered.
LONGEST_STRETCH = 50


class Trainer:
    """A network, the tasks that it is trained on, and the history of its tests."""

    def __init__(self, settings: argparse.Namespace, datasets: dict[str, Dataset]) -> None:
        """Builds the network with its initial weights, and the loops of each task."""
        self.settings = settings
        tasks = [TASKS[name] for name in settings.tasks]
        input_shape = (IMAGE_SIZE, IMAGE_SIZE, CHANNELS[settings.input_style])
        self.network = build_network(settings, input_shape, max(task.classes for task in tasks))
        self.optimizer = build_optimizer(settings)
        self.optimizer.build(self.network.trainable_variables)
        on_device = {name: to_device(dataset) for name, dataset in datasets.items()}
        self.loops = [
            TaskLoops(index, task, on_device[task.dataset], self.network, self.optimizer, settings)
            for index, task in enumerate(tasks)
        ]
        self.schedule = Cycle(len(tasks), settings.task_time)
        self.step = 0  # how many steps are done
        self.history: list[dict] = []  # the tests, as in metrics.jsonl

    def run(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> None:
        """Trains to the last step, or until `stopped` says so, and saves.

        Raises:
            RunError: the loss is no longer a number, or TensorFlow could not go on.
        """
        try:
            self.train_to_the_end(log, display, stopped)
        except (tf.errors.OpError, MemoryError) as error:
            reason = str(error).partition("\n")[0] or "out of memory"
            raise RunError(f"at step {self.step}: {reason}") from error

    def train_to_the_end(self, log: RunLog, display: Display, stopped: Callable[[], bool]) -> None:
        """The loop itself."""
        settings = self.settings
        # What each task's steps came to since the last point of the training curves.
        tallies: dict[int, Tally] = defaultdict(Tally)
        self.test(log, display, trained=None)
        while self.step < settings.max_steps and not stopped():
            index = self.schedule.task_at(self.step)
            tallies[index] += self.train_stretch(index, log)
            display.progress(self.step, index)
            if self.due(settings.train_summary_frequency):
                self.log_training(log, index, tallies)
                tallies.clear()
            if self.due(settings.test_frequency):
                self.test(log, display, trained=index)
        self.save(log)

    def due(self, frequency: int) -> bool:
        """Whether the steps done call for what is done every `frequency` steps and at the end."""
        return self.step % frequency == 0 or self.step == self.settings.max_steps

    def train_stretch(self, index: int, log: RunLog) -> Tally:
        """Trains one task up to the next step at which something else is to be done."""
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
        seen = self.schedule.steps_trained(index, self.step) * settings.batch
        traced = settings.trace and self.step % settings.train_metadata_frequency == 0
        with profile(log.folder / "train", self.step) if traced else nullcontext():
            tally = self.loops[index].train(self.step, end, seen)
        self.check_finite(
            tally, f"training task {settings.tasks[index]} in steps {self.step} to {end}"
        )
        self.step = end
        return tally

    def check_finite(self, tally: Tally, doing: str) -> None:
        """Ends a run whose numbers have become none."""
        if not math.isfinite(tally.loss):
            raise RunError(
                f"the loss became {tally.loss} {doing}, at learning rate "
                f"{self.settings.learning_rate:g}; start again with a smaller --learning-rate"
            )

    def log_training(self, log: RunLog, index: int, tallies: dict[int, Tally]) -> None:
        """Writes what the steps since the last point came to, and each trained task's share."""
        total = sum(tallies.values(), Tally())
        log.scalars(
            "train",
            self.step,
            {
                "accuracy": total.accuracy,
                "loss": total.loss,
                "learning_rate": float(self.optimizer.learning_rate),
                "task": index,
            },
        )
        for trained, tally in tallies.items():
            values = {"accuracy": tally.accuracy, "loss": tally.loss}
            log.scalars(f"train_{log.curves[trained]}", self.step, values)

    def test(self, log: RunLog, display: Display, trained: int | None) -> None:
        """Tests every task after task `trained` was trained (None before the first step)."""
        tallies = [loops.test() for loops in self.loops]
        for name, tally in zip(self.settings.tasks, tallies, strict=True):
            self.check_finite(tally, f"testing task {name} after step {self.step}")
        test = {
            "step": self.step,
            "trained": trained,
            "accuracy": [tally.accuracy for tally in tallies],
            "loss": [tally.loss for tally in tallies],
            "mean_accuracy": fmean(tally.accuracy for tally in tallies),
        }
        self.history.append(test)
        log.test(test)
        display.test(test)

    def save(self, log: RunLog) -> None:
        """Saves the network and the optimiser as they are at this step."""
        checkpoint = tf.train.Checkpoint(network=self.network, optimizer=self.optimizer)
        manager = tf.train.CheckpointManager(
            checkpoint, str(log.folder / "checkpoints"), max_to_keep=1
        )
        manager.save(checkpoint_number=self.step)

    def graph(self) -> tf.Graph:
        """The network's graph, from a batch of images to its logits."""
        shape = (None, *self.network.input_shape[1:])
        return (
            tf.function(self.network).get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph
        )
