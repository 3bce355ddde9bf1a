"""The compiled training step, and the loop over it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from model import Network, set_dropout_step, squared_weights
from runs.history import Tally
from settings import TrainingSettings
from training.feed import Batch, TaskData, by_feed

SCALAR = tf.TensorSpec((), tf.int64)


@dataclass
class Divergence(Exception):
    """The loss of a task has become infinite or NaN."""

    task: int  # its index
    step: int  # the number of steps done, with the one that diverged
    loss: float
    last_loss: float  # the task's last finite loss in this loop; NaN where there is none


class Update(NamedTuple):
    """The result of one training step, for each task that it trained."""

    losses: tf.Tensor  # mean cross-entropy of the batch, [tasks] float32, in nats
    correct: tf.Tensor  # examples that were classified correctly, [tasks] int64


class TrainingLoop:
    """Trains the network on one task, or on several in the same steps.

    Everything random about a step follows from the seed, the step and the number of examples of the
    tasks before it.
    """

    def __init__(
        self,
        task_data: Sequence[TaskData],
        weights: Sequence[float],
        network: Network,
        optimizer: keras.optimizers.Optimizer,
        settings: TrainingSettings,
    ) -> None:
        """Prepares the loop; `weights` are the factors of the tasks' losses in the loss."""
        # Tasks that see the same images share a pass through the trunk.
        self.groups = by_feed(task_data)
        self.task_data = [data for group in self.groups for data in group]
        weight_of = {data.index: weight for data, weight in zip(task_data, weights, strict=True)}
        self.weights = [weight_of[data.index] for data in self.task_data]
        self.network, self.optimizer = network, optimizer
        self.parts = network.parts(data.index for data in task_data)
        self.batch, self.l2 = settings.batch, settings.l2
        # Each task's last finite loss, in nats.
        self.last_losses = np.full(len(task_data), np.nan, np.float32)

    def compile_with_xla(self) -> None:
        """Compiles the update of a step with XLA, which has no kernel for choosing the batch."""
        self.update = tf.function(self.update, jit_compile=True, autograph=False)

    def train(self, start: int, end: int, seen: int) -> dict[int, Tally]:
        """Trains the steps from `start` up to `end`, after `seen` examples of each task.

        Returns:
            Each task's tally, by its index.

        Raises:
            Divergence: a loss is not finite; no step is trained after the one that shows it.
        """
        # NumPy's integers: TensorFlow caches every Python number that it has seen.
        numbers = np.array([start, end, seen], np.int64)
        done, *sums, losses = (tensor.numpy() for tensor in self._train(*numbers, self.last_losses))
        self.last_losses = losses
        tallies = {
            data.index: Tally((int(done) - start) * self.batch, int(correct), float(loss_sum))
            for data, loss_sum, correct in zip(self.task_data, *sums, strict=True)
        }
        for (index, tally), last in zip(tallies.items(), losses, strict=True):
            if not math.isfinite(tally.loss_sum):
                raise Divergence(index, int(done), tally.loss_sum, float(last))
        return tallies

    @tf.function(
        input_signature=[*[SCALAR] * 3, tf.TensorSpec([None], tf.float32)], autograph=False
    )
    def _train(
        self, start: tf.Tensor, end: tf.Tensor, seen: tf.Tensor, last_losses: tf.Tensor
    ) -> tuple:
        """Trains a chunk of steps.

        Returns:
            The number of steps done, [] int64; over all examples the sums of the losses, [tasks]
            float64, and of the correct, [tasks] int64; the last finite mean losses, [tasks]
            float32.
        """

        def one_step(
            step: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor, last: tf.Tensor
        ) -> tuple:
            update = self.update(step, self.batches(step, seen + (step - start) * self.batch))
            # In 64 bits, so that the sum does not depend on where chunks end.
            loss_sums += tf.cast(update.losses, tf.float64) * self.batch
            last = tf.where(tf.math.is_finite(update.losses), update.losses, last)
            return step + 1, loss_sums, correct + update.correct, last

        def unfinished(step: tf.Tensor, loss_sums: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
            return (step < end) & tf.reduce_all(tf.math.is_finite(loss_sums))

        tasks = len(self.task_data)
        zeros = tf.zeros([tasks], tf.float64), tf.zeros([tasks], tf.int64)
        last_losses = tf.ensure_shape(last_losses, [tasks])
        return tf.while_loop(unfinished, one_step, (start, *zeros, last_losses))

    def batches(self, step: tf.Tensor, seen: tf.Tensor) -> list[Batch]:
        """Returns a batch for each group of tasks, in the order of the group's first task."""
        batches = []
        for group in self.groups:
            first = group[0]
            images, examples = first.feed.training_batch(step, seen, first.order_key)
            labels = tuple(tf.gather(data.train_labels, examples) for data in group)
            batches.append(Batch(images, examples, labels, tuple(data.index for data in group)))
        return batches

    def update(self, step: tf.Tensor, batches: list[Batch]) -> Update:
        """Updates the weights by the gradient of the loss on the batches."""
        variables = [variable for part in self.parts for variable in part.trainable_variables]
        with tf.GradientTape() as tape:
            result = self.forward(step, batches)
            total = tf.reduce_sum(result.losses * self.weights)
            if self.l2:
                total += self.l2 * squared_weights(self.parts)
        self.optimizer.apply(tape.gradient(total, variables), variables)
        return result

    def forward(self, step: tf.Tensor, batches: list[Batch]) -> Update:
        """Passes the batches through the network in training mode."""
        losses, correct = [], []
        for place, batch in enumerate(batches):
            # Each group of tasks passes the trunk by itself, with dropout of its own.
            set_dropout_step(self.parts, step * len(batches) + place)
            outputs = self.network.logits(batch.images, batch.tasks, training=True)
            for labels, logits in zip(batch.labels, outputs, strict=True):
                losses.append(tf.reduce_mean(cross_entropy(labels, logits)))
                correct.append(count_correct(labels, logits))
        return Update(tf.stack(losses), tf.stack(correct))


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns the softmax cross-entropy of each example, [B] float32, in nats."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def count_correct(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Counts the examples whose largest logit is that of their label, [] int64."""
    return tf.math.count_nonzero(tf.argmax(logits, axis=1, output_type=labels.dtype) == labels)
