"""One task's training and test loops, compiled, over arrays that stay on the device."""

import argparse
from dataclasses import dataclass, replace

import keras
import tensorflow as tf

from data.dataset import Dataset, Split
from model import set_dropout_step
from randomness import Stream, stream_key
from tasks import Seeds, Task

# Images to a batch in testing. Part of what the noise task's test images are: each batch of them
# is drawn from its place.
TEST_BATCH = 500

SCALAR = tf.TensorSpec((), tf.int64)


@dataclass
class Tally:
    """What some training steps, or a test, came to."""

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


def to_device(dataset: Dataset) -> Dataset:
    """The dataset with tensors in place of its arrays."""
    splits = {
        name: Split(tf.constant(split.images), tf.constant(split.labels))
        for name, split in (("train", dataset.train), ("test", dataset.test))
    }
    return replace(dataset, **splits)


class TaskLoops:
    """Trains the shared network on one task, and tests it.

    Which examples a step sees, and everything random about it, follows from the seed, the step and
    the number of examples of the task that were seen before.
    """

    def __init__(
        self,
        index: int,
        task: Task,
        dataset: Dataset,
        network: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        settings: argparse.Namespace,
    ) -> None:
        """`index` is the task's place in --tasks, `dataset` has tensors (see `to_device`)."""
        self.task, self.dataset = task, dataset
        self.network, self.optimizer = network, optimizer
        self.batch, self.input_style = settings.batch, settings.input_style
        self.order_key = stream_key(settings.seed, Stream.ORDER, index)
        self.train_key = stream_key(settings.seed, Stream.TRAIN_IMAGES, index)
        self.test_key = stream_key(settings.seed, Stream.TEST_IMAGES, index)
        # Without the index: a task that is named twice is the same task.
        self.run_key = stream_key(settings.seed, Stream.WHOLE_RUN)

    def train(self, start: int, end: int, seen: int) -> Tally:
        """Trains the steps from `start` up to `end`, after `seen` examples of this task."""
        loss_sum, correct = self._train(start, end, seen)
        return Tally((end - start) * self.batch, int(correct), float(loss_sum) * self.batch)

    def test(self) -> Tally:
        """Every test image once."""
        loss_sum, correct = self._test()
        return Tally(len(self.dataset.test.labels), int(correct), float(loss_sum))

    @tf.function(input_signature=[SCALAR] * 3)
    def _train(self, start: tf.Tensor, end: tf.Tensor, seen: tf.Tensor) -> tuple:
        """The sum of the steps' mean losses, float32, and how many examples were right, int64."""
        loss_sum, correct = tf.constant(0.0), tf.constant(0, tf.int64)
        for step in tf.range(start, end):
            images, labels = self.training_batch(step, seen + (step - start) * self.batch)
            set_dropout_step(self.network, step)
            with tf.GradientTape() as tape:
                logits = self.network(images, training=True)
                loss = tf.reduce_mean(losses(labels, logits))
            variables = self.network.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            loss_sum += loss
            correct += count_correct(labels, logits)
        return loss_sum, correct

    @tf.function(input_signature=[])
    def _test(self) -> tuple:
        """The sum of the images' losses, float64, and how many of them were right, int64."""
        loss_sum, correct = tf.constant(0.0, tf.float64), tf.constant(0, tf.int64)
        test = self.dataset.test
        for start in tf.range(0, len(test.labels), TEST_BATCH):
            labels = test.labels[start : start + TEST_BATCH]  # the last batch may be smaller
            images = self.network_input(
                test.images[start : start + TEST_BATCH], self.test_key, tf.cast(start, tf.int64)
            )
            logits = self.network(images, training=False)
            loss_sum += tf.reduce_sum(tf.cast(losses(labels, logits), tf.float64))
            correct += count_correct(labels, logits)
        return loss_sum, correct

    def training_batch(self, step: tf.Tensor, seen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The batch that follows `seen` examples: images as the network sees them, and labels.

        The examples come epoch after epoch, in another order in each, every one once. A batch may
        hold the end of one epoch and the beginning of the next.
        """
        train = self.dataset.train
        size = tf.constant(len(train.labels), tf.int64)
        positions = seen + tf.range(self.batch, dtype=tf.int64)
        key = tf.fill([self.batch], tf.constant(self.order_key, tf.int64))
        seeds = tf.stack([key, tf.zeros_like(key), positions // size], axis=1)  # one an epoch
        chosen = tf.random_index_shuffle(positions % size, seeds, size - 1)
        images = self.network_input(tf.gather(train.images, chosen), self.train_key, step)
        return images, tf.gather(train.labels, chosen)

    def network_input(self, images: tf.Tensor, key: int, counter: tf.Tensor) -> tf.Tensor:
        """A batch as the network sees it; `counter` tells it from the other batches of `key`."""
        seeds = Seeds(
            run=tf.constant([self.run_key, 0], tf.int64),
            batch=tf.stack([tf.constant(key, tf.int64), counter]),
        )
        return self.task.network_input(images, seeds, self.input_style)


def losses(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Softmax cross-entropy of each example, [B] float32, in nats."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def count_correct(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """How many of the examples have their largest logit at their label."""
    return tf.math.count_nonzero(tf.argmax(logits, axis=1, output_type=labels.dtype) == labels)
