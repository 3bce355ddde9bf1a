"""The compiled loops: training steps of tasks that are trained together, and tests."""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from interrupts import Pace
from model import Network, set_dropout_step, squared_weights
from training.feed import Learner, by_feed

SCALAR = tf.TensorSpec((), tf.int64)


@dataclass
class Diverged(Exception):
    """The loss of a task has become none: infinite, or not a number."""

    task: int  # its index
    step: int  # how many steps are done with the one in which it did
    loss: float
    last: float  # the task's loss in the last step of this loop that had one; NaN before the first


@dataclass
class Tally:
    """What some training steps, or a test, came to for a task."""

    examples: int = 0
    correct: int = 0
    loss_sum: float = 0.0  # over the examples, in nats

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.examples + other.examples,
            self.correct + other.correct,
            self.loss_sum + other.loss_sum,
        )

    @property
    def accuracy(self) -> float:
        """The share of the examples that were right, 0 to 1."""
        return self.correct / self.examples

    @property
    def loss(self) -> float:
        """The mean cross-entropy, in nats."""
        return self.loss_sum / self.examples


class TrainingLoop:
    """Trains the network on one task, or on several in the same steps.

    Everything random about a step follows from the seed, the step and the number of examples of
    the tasks that were seen before.
    """

    def __init__(
        self,
        learners: Sequence[Learner],
        weights: Sequence[float],
        network: Network,
        optimizer: keras.optimizers.Optimizer,
        settings: argparse.Namespace,
    ) -> None:
        """`weights` are those of the learners' losses in the sum that is trained on."""
        # Those that see the same images together: these pass the shared part once.
        self.groups = by_feed(learners)
        self.learners = [learner for group in self.groups for learner in group]
        weight_of = {task.index: weight for task, weight in zip(learners, weights, strict=True)}
        self.weights = [weight_of[learner.index] for learner in self.learners]
        self.network, self.optimizer = network, optimizer
        self.parts = network.parts(learner.index for learner in learners)
        self.batch, self.l2 = settings.batch, settings.l2
        # The loss of each learner in the last step in which it was a number, in nats.
        self.last_losses = np.full(len(learners), np.nan, np.float32)
        if settings.xla:
            self.update = tf.function(self.update, jit_compile=True, autograph=False)

    def train(self, start: int, end: int, seen: int) -> dict[int, Tally]:
        """Trains the steps from `start` up to `end`, after `seen` examples of each task.

        Returns:
            What that came to for each task, by its index.

        Raises:
            Diverged: a loss is no longer a number; no step is trained after the one that shows it.
        """
        # NumPy's numbers, since TensorFlow keeps every number of Python's that it has seen.
        numbers = np.array([start, end, seen], np.int64)
        done, *sums, losses = (tensor.numpy() for tensor in self._train(*numbers, self.last_losses))
        self.last_losses = losses
        tallies = {
            learner.index: Tally((int(done) - start) * self.batch, int(right), float(loss_sum))
            for learner, loss_sum, right in zip(self.learners, *sums, strict=True)
        }
        for (index, tally), last in zip(tallies.items(), losses, strict=True):
            if not math.isfinite(tally.loss_sum):
                raise Diverged(index, int(done), tally.loss_sum, float(last))
        return tallies

    @tf.function(
        input_signature=[*[SCALAR] * 3, tf.TensorSpec([None], tf.float32)], autograph=False
    )
    def _train(
        self, start: tf.Tensor, end: tf.Tensor, seen: tf.Tensor, last_losses: tf.Tensor
    ) -> tuple:
        """Up to which step it came, and what that came to.

        That is the sums of the losses of all examples, [tasks] float64, of what was right, int64,
        and the steps' last mean losses that were numbers, float32.
        """

        def one_step(
            step: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor, last: tf.Tensor
        ) -> tuple:
            batches = self.batches(step, seen + (step - start) * self.batch)
            means, right = self.update(step, batches)
            # In 64 bits, so that the sum does not depend on where one stretch of steps ends and
            # the next begins.
            loss_sums += tf.cast(means, tf.float64) * self.batch
            last = tf.where(tf.math.is_finite(means), means, last)
            return step + 1, loss_sums, correct + right, last

        def goes_on(step: tf.Tensor, loss_sums: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
            return (step < end) & tf.reduce_all(tf.math.is_finite(loss_sums))

        tasks = len(self.learners)
        zeros = tf.zeros([tasks], tf.float64), tf.zeros([tasks], tf.int64)
        last_losses = tf.ensure_shape(last_losses, [tasks])
        return tf.while_loop(goes_on, one_step, (start, *zeros, last_losses))

    def batches(self, step: tf.Tensor, seen: tf.Tensor) -> list[tuple[tf.Tensor, list[tf.Tensor]]]:
        """For each group its images, as the network sees them, and each of its tasks' labels.

        The order of the images is that of the group's first task.
        """
        batches = []
        for group in self.groups:
            first = group[0]
            images, chosen = first.feed.training_batch(step, seen, first.order_key)
            batches.append((images, [tf.gather(task.train_labels, chosen) for task in group]))
        return batches

    def update(
        self, step: tf.Tensor, batches: list[tuple[tf.Tensor, list[tf.Tensor]]]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains on those batches; what it came to is as in `forward`."""
        variables = [variable for part in self.parts for variable in part.trainable_variables]
        with tf.GradientTape() as tape:
            means, right = self.forward(step, batches)
            total = tf.reduce_sum(means * self.weights)
            if self.l2:
                total += self.l2 * squared_weights(self.parts)
        self.optimizer.apply(tape.gradient(total, variables), variables)
        return means, right

    def forward(
        self, step: tf.Tensor, batches: list[tuple[tf.Tensor, list[tf.Tensor]]]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean loss of each task, [tasks] float32, and how many were right, int64."""
        means, right = [], []
        passes = zip(self.groups, batches, strict=True)
        for place, (group, (images, labels_of_group)) in enumerate(passes):
            # Each group of tasks passes the shared part by itself, with dropout of its own.
            set_dropout_step(self.parts, step * len(self.groups) + place)
            tasks = [learner.index for learner in group]
            outputs = self.network.logits(images, tasks, training=True)
            for labels, logits in zip(labels_of_group, outputs, strict=True):
                means.append(tf.reduce_mean(losses(labels, logits)))
                right.append(count_correct(labels, logits))
        return tf.stack(means), tf.stack(right)


class EvaluationLoop:
    """Tests the network on tasks that see the same images, in one pass."""

    def __init__(self, group: list[Learner], network: Network) -> None:
        """`group` is one of those that `by_feed` makes."""
        self.group, self.feed, self.network = group, group[0].feed, network
        self.pace = Pace()  # in batches

    def test(self, stopped: Callable[[], bool] = lambda: False) -> dict[int, Tally] | None:
        """Every test image once: what that came to for each task, by its index.

        None if `stopped` said so in between.
        """
        tasks, count, size = len(self.group), self.feed.test.count, self.feed.test_batch
        start, sums = 0, (np.zeros(tasks, np.float64), np.zeros(tasks, np.int64))
        while start < count:
            if stopped():
                return None
            end = min(start + self.pace.amount * size, count)
            with self.pace.measured():
                tested = self._test(*np.array([start, end], np.int32), *sums)
                sums = tuple(tensor.numpy() for tensor in tested)
            start = end
        return {
            learner.index: Tally(count, int(right), float(loss_sum))
            for learner, loss_sum, right in zip(self.group, *sums, strict=True)
        }

    @tf.function(
        input_signature=[
            *[tf.TensorSpec((), tf.int32)] * 2,
            *(tf.TensorSpec([None], dtype) for dtype in (tf.float64, tf.int64)),
        ],
        autograph=False,
    )
    def _test(
        self, start: tf.Tensor, end: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor
    ) -> tuple:
        """Adds the images from `start` up to `end` to the sums of what was tested before them.

        These are the sums of the images' losses, [tasks] float64, and of what was right, int64.
        """
        indices = [task.index for task in self.group]
        size = self.feed.test_batch

        def one_batch(start: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor) -> tuple:
            outputs = self.network.logits(self.feed.batch_to_test(start), indices, training=False)
            labels = [task.test_labels[start : start + size] for task in self.group]
            pairs = list(zip(labels, outputs, strict=True))
            sums = [tf.reduce_sum(tf.cast(losses(*pair), tf.float64)) for pair in pairs]
            right = [count_correct(*pair) for pair in pairs]
            return start + size, loss_sums + tf.stack(sums), correct + tf.stack(right)

        shaped = [tf.ensure_shape(sums, [len(self.group)]) for sums in (loss_sums, correct)]
        return tf.while_loop(lambda start, *_: start < end, one_batch, (start, *shaped))[1:]


def losses(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Softmax cross-entropy of each example, [B] float32, in nats."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def count_correct(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """How many of the examples have their largest logit at their label."""
    return tf.math.count_nonzero(tf.argmax(logits, axis=1, output_type=labels.dtype) == labels)
