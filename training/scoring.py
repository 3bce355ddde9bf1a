"""Scores of a saved network, on its own tasks and on others that its outputs can answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from data.catalog import CATALOG
from data.dataset import Dataset
from errors import RequestError
from model import Network, build_network
from runs.checkpoints import restore_last
from runs.config import CONFIG
from settings import Settings
from tasks import Task
from training.feed import by_feed, make_task_data


@dataclass(frozen=True)
class OutputMap:
    """The mapping from a head's outputs to the classes of a task."""

    head: int  # the index of the run's task whose head answers
    # The class that each output stands for, -1 for none; None: the output's own number.
    classes: tuple[int, ...] | None = None

    def predict(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the predicted classes, [B] int64, from logits [B, outputs] float32."""
        if self.classes is None:
            return tf.argmax(logits, axis=1)
        classes = tf.constant(self.classes, tf.int64)
        allowed = tf.where(classes >= 0, logits, -np.inf)
        return tf.gather(classes, tf.argmax(allowed, axis=1))


def output_map(task: Task, run_tasks: Sequence[Task], heads: int) -> OutputMap:
    """Returns the mapping by which a network trained on `run_tasks` answers a task.

    The task may be one of them; it may be made of the labels of one, such as the classes of
    `cifar10`; or it may have as many classes as the only head.

    Args:
        heads: the number of the network's heads.

    Raises:
        RequestError: no head can answer the task.
    """
    names = [run_task.name for run_task in run_tasks]
    if task.name in names:
        return OutputMap(names.index(task.name))
    for index, whole in enumerate(run_tasks):
        if (whole.dataset, whole.transform, whole.labels) == (task.dataset, task.transform, None):
            return OutputMap(index, task.labels)
    if heads == 1 and run_tasks[0].classes == task.classes:
        return OutputMap(0)
    outputs = ", ".join(f"{run_task.name} ({run_task.classes})" for run_task in run_tasks)
    raise RequestError(
        f"--tasks: {task.name} with its {task.classes} classes does not fit the network, whose "
        f"outputs are for {outputs}; name one of those, or a task made of their classes"
    )


def restore_network(
    run: Path, settings: Settings, tasks: Sequence[Task]
) -> tuple[Network, list[np.ndarray] | None]:
    """Restores the network of a run's last checkpoint.

    Returns:
        The network, and each task's mean and deviation, [2, H, W, 1 or 3] float32; None for these
        where images are not standardized, or the run is of an older version.

    Raises:
        RequestError: there is no checkpoint, or the settings describe another network.
    """
    # Pre-trained weights would be replaced by the checkpoint's.
    network_settings = replace(settings.network, weights="none")
    classes = [task.classes for task in tasks]
    try:
        network = build_network(network_settings, settings.input, classes, settings.training.seed)
    except Exception as error:  # Keras raises nearly anything
        raise RequestError(
            f"{run / CONFIG} does not describe a network ({str(error).partition(chr(10))[0]}"
            "); start the run again"
        ) from error
    size = settings.input.image_size
    shapes = [(2, size, size, CATALOG[task.dataset].channels) for task in tasks]
    scales = [tf.Variable(tf.fill(shape, math.nan)) for shape in shapes]
    checkpoint = tf.train.Checkpoint(trunk=network.trunk, heads=network.heads)
    if restore_last(run, checkpoint, optional=tf.train.Checkpoint(scales=scales)) is None:
        raise RequestError(
            f"{run} has no checkpoint: one is saved every --checkpoint-frequency steps, and when a "
            "run ends or is stopped; name another run, or resume this one"
        )
    saved = all(np.isfinite(scale.numpy()).all() for scale in scales)
    return network, [scale.numpy() for scale in scales] if saved else None


def scales_of(
    tasks: Sequence[Task], datasets: Mapping[str, Dataset], settings: Settings
) -> list[np.ndarray]:
    """Computes each task's mean and deviation, [2, H, W, 1 or 3], as its training does."""
    task_data = make_task_data(tasks, datasets, settings.input, settings.training)
    return [np.stack(data.feed.scale) for data in task_data]


def score(
    network: Network,
    tasks: Sequence[Task],
    maps: Sequence[OutputMap],
    datasets: Mapping[str, Dataset],
    settings: Settings,
    scales: Sequence[np.ndarray] | None,
) -> list[np.ndarray]:
    """Returns the confusion matrix of each task over its whole test set.

    Args:
        scales: the mean and deviation, [2, H, W, 1 or 3], of the images of each of the run's tasks;
            None where they are not standardized.

    Returns:
        [classes, classes] int64 each: a row for each true class, a column for each prediction.
    """
    as_stored = replace(settings.input, standardize=False)
    task_data = make_task_data(tasks, datasets, as_stored, settings.training)
    if scales is not None:
        for data, output in zip(task_data, maps, strict=True):
            data.feed.scale = tuple(map(tf.constant, scales[output.head]))
    counts = [np.zeros((task.classes, task.classes), np.int64) for task in tasks]
    for group in by_feed(task_data):
        feed = group[0].feed
        heads = [maps[data.index].head for data in group]
        # Compiled, as in a run's own evaluations, so that it rounds as they do.
        logits_from = tf.function(
            lambda start, feed=feed, heads=heads: network.logits(
                feed.evaluation_batch(start), heads, training=False
            ),
            autograph=False,
        )
        for start in range(0, feed.test.count, feed.test_batch):
            outputs = logits_from(tf.constant(start))
            for data, logits in zip(group, outputs, strict=True):
                predicted = maps[data.index].predict(logits)
                true = data.test_labels[start : start + feed.test_batch]
                np.add.at(counts[data.index], (true.numpy(), predicted.numpy()), 1)
    return counts
