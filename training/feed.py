"""What tasks are trained and tested on: arrays on the device, and batches of them."""

import argparse
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from data.dataset import Dataset, Split
from errors import RequestError
from settings.randomness import Stream, stream_key
from tasks import Seeds, Task

# Pixels to a batch in testing, 200 images of 28×28: few enough for the processor's cache; and its
# least images, many enough for a GPU. Part of what the noise task's test images are: each batch of
# them is drawn from its place.
TEST_PIXELS = 200 * 28 * 28
LEAST_TEST_BATCH = 32
# A pixel whose variance over the images is below this is always the same, but for rounding: one
# image in 60,000 that differs by one step of 255 makes 2.6e-10.
NO_VARIANCE = 1e-12


class Feed:
    """The images that one task sees, or several that see the same.

    Which examples a step sees, and everything random about them, follows from the seed, the step
    and the number of examples that were seen before.
    """

    def __init__(
        self, index: int, task: Task, dataset: Dataset, settings: argparse.Namespace
    ) -> None:
        """`index` is the place in --tasks of the first task that sees these images.

        `dataset` has tensors in place of arrays (see `to_device`).
        """
        self.change = task.change
        self.batch = settings.batch
        self.test_batch = max(LEAST_TEST_BATCH, TEST_PIXELS // settings.image_size**2)
        self.train, self.test = (
            Images(split.images, task.choose(split.labels.numpy())[0])
            for split in (dataset.train, dataset.test)
        )
        self.train_key = stream_key(settings.seed, Stream.TRAIN_IMAGES, index)
        self.test_key = stream_key(settings.seed, Stream.TEST_IMAGES, index)
        # Without the index: a task that is named twice is the same task.
        self.run_key = stream_key(settings.seed, Stream.WHOLE_RUN)
        self.scale = self.mean_and_sd() if settings.standardize else None

    def training_batch(
        self, step: tf.Tensor, seen: tf.Tensor, order_key: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The batch that follows `seen` examples: as the network sees it, and which examples.

        The examples come epoch after epoch, in another order in each, every one once. The order
        follows from `order_key`. A batch may hold the end of one epoch and the beginning of the
        next.

        Returns:
            [B, H, W, 1 or 3] float32, and the places in the task's training set, [B] int64.
        """
        size = tf.constant(self.train.count, tf.int64)
        positions = seen + tf.range(self.batch, dtype=tf.int64)
        key = tf.fill([self.batch], tf.constant(order_key, tf.int64))
        seeds = tf.stack([key, tf.zeros_like(key), positions // size], axis=1)  # one an epoch
        chosen = tf.random_index_shuffle(positions % size, seeds, size - 1)
        return self.network_input(self.train.at(chosen), self.train_key, step), chosen

    def batch_to_test(self, start: tf.Tensor) -> tf.Tensor:
        """The test images from `start` on, as the network sees them; the last may be fewer."""
        places = tf.range(start, tf.minimum(start + self.test_batch, self.test.count))
        return self.network_input(self.test.at(places), self.test_key, tf.cast(start, tf.int64))

    def network_input(self, images: tf.Tensor, key: int, counter: tf.Tensor) -> tf.Tensor:
        """Images uint8 as the network sees them, float32, both [B, H, W, 1 or 3].

        `counter` tells the batch from the other batches of `key`.
        """
        images = self.changed(images, key, counter)
        if self.scale is None:
            return images
        mean, sd = self.scale
        return (images - mean) / sd

    def changed(self, images: tf.Tensor, key: int, counter: tf.Tensor) -> tf.Tensor:
        """Images uint8 after the task's change, float32 in [0, 1]."""
        seeds = Seeds(
            run=tf.constant([self.run_key, 0], tf.int64),
            batch=tf.stack([tf.constant(key, tf.int64), tf.cast(counter, tf.int64)]),
        )
        return self.change(tf.cast(images, tf.float32) / 255, seeds)

    def mean_and_sd(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Of each pixel over the training images, [H, W, 1 or 3] float32; no sd is 0."""
        total = squares = tf.zeros(self.train.images.shape[1:], tf.float64)
        for start in range(0, self.train.count, self.test_batch):
            places = tf.range(start, min(start + self.test_batch, self.train.count))
            batch = self.changed(self.train.at(places), self.train_key, tf.constant(-1 - start))
            batch = tf.cast(batch, tf.float64)
            total += tf.reduce_sum(batch, axis=0)
            squares += tf.reduce_sum(batch**2, axis=0)
        mean = total / self.train.count
        variance = squares / self.train.count - mean**2
        sd = tf.where(variance < NO_VARIANCE, tf.ones_like(variance), tf.sqrt(variance))
        return tf.cast(mean, tf.float32), tf.cast(sd, tf.float32)


class Images:
    """A dataset's images, shared by all tasks on it, and which of them are a task's."""

    def __init__(self, images: tf.Tensor, examples: np.ndarray | None) -> None:
        """`images` is [N, H, W, 1 or 3] uint8, `examples` [M] int32; None stands for all."""
        self.images = images
        self.examples = None if examples is None else tf.constant(examples)
        self.count = len(images) if examples is None else len(examples)

    def at(self, places: tf.Tensor) -> tf.Tensor:
        """The images at those places among the task's, [B, H, W, 1 or 3] uint8."""
        return tf.gather(
            self.images, places if self.examples is None else tf.gather(self.examples, places)
        )


@dataclass(frozen=True, eq=False)
class Learner:
    """A task on the device: its images, which other tasks may see too, and its labels."""

    index: int  # its place in --tasks
    feed: Feed
    order_key: int  # from which the order of its training examples follows
    train_labels: tf.Tensor  # [N] int32
    test_labels: tf.Tensor  # [N] int32


def make_learners(
    tasks: Sequence[Task], datasets: dict[str, Dataset], settings: argparse.Namespace
) -> list[Learner]:
    """The tasks on the device, on one copy of each dataset.

    Raises:
        RequestError: the data has no example of a task.
    """
    on_device = {name: to_device(dataset) for name, dataset in datasets.items()}
    feeds: dict[Hashable, Feed] = {}
    learners = []
    for index, task in enumerate(tasks):
        labels = [
            task.choose(split.labels)[1]
            for split in (datasets[task.dataset].train, datasets[task.dataset].test)
        ]
        if not all(map(len, labels)):
            raise RequestError(
                f"{datasets[task.dataset].origin} has no images of the task {task.name} to train "
                "or to test on; leave it out, or name a folder with all of the data in --data-dir"
            )
        if task.images not in feeds:
            feeds[task.images] = Feed(index, task, on_device[task.dataset], settings)
        order_key = stream_key(settings.seed, Stream.ORDER, index)
        learners.append(Learner(index, feeds[task.images], order_key, *map(tf.constant, labels)))
    return learners


def by_feed(learners: Iterable[Learner]) -> list[list[Learner]]:
    """The learners in groups that see the same images."""
    groups: dict[Feed, list[Learner]] = {}
    for learner in learners:
        groups.setdefault(learner.feed, []).append(learner)
    return list(groups.values())


def to_device(dataset: Dataset) -> Dataset:
    """The dataset with tensors in place of its arrays."""
    splits = {
        name: Split(tf.constant(split.images), tf.constant(split.labels))
        for name, split in (("train", dataset.train), ("test", dataset.test))
    }
    return replace(dataset, **splits)
