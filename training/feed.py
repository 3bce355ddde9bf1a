"""The tasks' data on the device, and batches of it."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data.dataset import Dataset, Split
from errors import RequestError
from settings import InputSettings, TrainingSettings
from settings.randomness import Stream, stream_key
from tasks import Seeds, Task

# Pixels of a batch in evaluation, 200 images of 28×28: few enough for the processor's cache; and
# its fewest images, enough for a GPU. The noise task's test images depend on both, since each batch
# is drawn from its place.
TEST_PIXELS = 200 * 28 * 28
MIN_TEST_BATCH = 32
# A pixel of less variance over the images is constant but for rounding: one image in 60,000 that
# differs by one step of 255 makes 2.6e-10.
MIN_VARIANCE = 1e-12


class Batch(NamedTuple):
    """The examples of a training step that several tasks share."""

    images: tf.Tensor  # [B, H, W, 1 or 3] float32, as the network sees them
    examples: tf.Tensor  # [B] int64, places in the tasks' training set
    labels: tuple[tf.Tensor, ...]  # of each task, [B] int32
    tasks: tuple[int, ...]  # the tasks' indices


class Feed:
    """The images that one task sees, or several tasks share.

    The examples of a step, and everything random about them, follow from the seed, the step and the
    number of examples before it.
    """

    def __init__(
        self,
        index: int,
        task: Task,
        dataset: Dataset,
        images: InputSettings,
        training: TrainingSettings,
    ) -> None:
        """Takes the images of a dataset that `to_device` returned.

        `index` is the place in --tasks of the first task that sees them.
        """
        seed = training.seed
        self.transform = task.transform
        self.batch = training.batch
        self.test_batch = max(MIN_TEST_BATCH, TEST_PIXELS // images.image_size**2)
        self.train, self.test = (
            Images(split.images, task.choose(split.labels.numpy())[0])
            for split in (dataset.train, dataset.test)
        )
        self.train_key = stream_key(seed, Stream.TRAIN_IMAGES, index)
        self.test_key = stream_key(seed, Stream.TEST_IMAGES, index)
        # Without the index: a task that is named twice is the same task.
        self.run_key = stream_key(seed, Stream.WHOLE_RUN)
        self.scale = self.mean_and_sd() if images.standardize else None

    def training_batch(
        self, step: tf.Tensor, seen: tf.Tensor, order_key: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the batch that follows `seen` examples: its images, and their places.

        Each epoch visits every example once, in an order of its own that follows from `order_key`.
        A batch may hold the end of one epoch and the beginning of the next.

        Returns:
            [B, H, W, 1 or 3] float32, and places in the task's training set, [B] int64.
        """
        size = tf.constant(self.train.count, tf.int64)
        positions = seen + tf.range(self.batch, dtype=tf.int64)
        key = tf.fill([self.batch], tf.constant(order_key, tf.int64))
        seeds = tf.stack([key, tf.zeros_like(key), positions // size], axis=1)  # one an epoch
        chosen = tf.random_index_shuffle(positions % size, seeds, size - 1)
        return self.network_input(self.train.at(chosen), self.train_key, step), chosen

    def examples(self, most: int) -> tuple[tf.Tensor, np.ndarray]:
        """Returns training images from the whole of the set, `most` of them at most.

        Returns:
            [N, H, W, 1 or 3] float32, and places in the task's training set, [N] int64.
        """
        number = min(most, self.train.count)
        places = np.arange(number) * self.train.count // number
        return self.network_input(self.train.at(places), self.train_key, tf.constant(0)), places

    def evaluation_batch(self, start: tf.Tensor) -> tf.Tensor:
        """Returns a batch of the test images from `start` on; the last batch may be smaller."""
        places = tf.range(start, tf.minimum(start + self.test_batch, self.test.count))
        return self.network_input(self.test.at(places), self.test_key, tf.cast(start, tf.int64))

    def network_input(self, images: tf.Tensor, key: int, counter: tf.Tensor) -> tf.Tensor:
        """Maps images uint8 to those that the network sees, float32, both [B, H, W, 1 or 3].

        `counter` distinguishes the batch from the other batches of `key`.
        """
        images = self.transformed(images, key, counter)
        if self.scale is None:
            return images
        mean, sd = self.scale
        return (images - mean) / sd

    def transformed(self, images: tf.Tensor, key: int, counter: tf.Tensor) -> tf.Tensor:
        """Applies the task's transform to images uint8: float32 in [0, 1]."""
        seeds = Seeds(
            run=tf.constant([self.run_key, 0], tf.int64),
            batch=tf.stack([tf.constant(key, tf.int64), tf.cast(counter, tf.int64)]),
        )
        return self.transform(tf.cast(images, tf.float32) / 255, seeds)

    def mean_and_sd(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each pixel's mean and standard deviation over the training images.

        Both are [H, W, 1 or 3] float32; the deviation of a constant pixel is 1.
        """
        total = squares = tf.zeros(self.train.images.shape[1:], tf.float64)
        for start in range(0, self.train.count, self.test_batch):
            places = tf.range(start, min(start + self.test_batch, self.train.count))
            batch = self.transformed(self.train.at(places), self.train_key, tf.constant(-1 - start))
            batch = tf.cast(batch, tf.float64)
            total += tf.reduce_sum(batch, axis=0)
            squares += tf.reduce_sum(batch**2, axis=0)
        mean = total / self.train.count
        variance = squares / self.train.count - mean**2
        sd = tf.where(variance < MIN_VARIANCE, tf.ones_like(variance), tf.sqrt(variance))
        return tf.cast(mean, tf.float32), tf.cast(sd, tf.float32)


class Images:
    """A task's choice of the images of a dataset, which all tasks on it share."""

    def __init__(self, images: tf.Tensor, examples: np.ndarray | None) -> None:
        """Chooses `examples` [M] int32 (None: all) of `images` [N, H, W, 1 or 3] uint8."""
        self.images = images
        self.examples = None if examples is None else tf.constant(examples)
        self.count = len(images) if examples is None else len(examples)

    def at(self, places: tf.Tensor) -> tf.Tensor:
        """Returns the images at those places among the task's, [B, H, W, 1 or 3] uint8."""
        return tf.gather(
            self.images, places if self.examples is None else tf.gather(self.examples, places)
        )


@dataclass(frozen=True, eq=False)
class TaskData:
    """A task's data on the device: its images, which other tasks may share, and its labels."""

    index: int  # its place in --tasks
    feed: Feed
    order_key: int  # of the order of its training examples
    classes: list[str]  # their names
    train_labels: tf.Tensor  # [N] int32
    test_labels: tf.Tensor  # [N] int32


def make_task_data(
    tasks: Sequence[Task],
    datasets: Mapping[str, Dataset],
    images: InputSettings,
    training: TrainingSettings,
) -> list[TaskData]:
    """Returns the tasks' data on the device, on one copy of each dataset.

    Raises:
        RequestError: the data has no example of a task.
    """
    on_device = {name: to_device(dataset) for name, dataset in datasets.items()}
    feeds: dict[Hashable, Feed] = {}
    task_data = []
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
            feeds[task.images] = Feed(index, task, on_device[task.dataset], images, training)
        order_key = stream_key(training.seed, Stream.ORDER, index)
        classes = task.names_of_classes(datasets[task.dataset].class_names)
        data = TaskData(index, feeds[task.images], order_key, classes, *map(tf.constant, labels))
        task_data.append(data)
    return task_data


def by_feed(task_data: Iterable[TaskData]) -> list[list[TaskData]]:
    """Groups the tasks that see the same images."""
    groups: dict[Feed, list[TaskData]] = {}
    for data in task_data:
        groups.setdefault(data.feed, []).append(data)
    return list(groups.values())


def to_device(dataset: Dataset) -> Dataset:
    """Returns the dataset with tensors in place of its arrays."""
    splits = {
        name: Split(tf.constant(split.images), tf.constant(split.labels))
        for name, split in (("train", dataset.train), ("test", dataset.test))
    }
    return replace(dataset, **splits)
