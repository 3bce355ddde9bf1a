"""Scores a saved network on tasks, also on such as it was not trained on but can answer."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from data.dataset import Dataset
from errors import RequestError
from model import Network, build_network
from runs.checkpoints import restore_last
from runs.config import CONFIG
from tasks import Task
from training.feed import Learner, by_feed, make_learners


@dataclass(frozen=True)
class Reading:
    """How the answer to a task is read off the network's outputs."""

    head: int  # the index of the run's task whose head is read
    # The answer that each output stands for, -1 for those that are none; None: its own number.
    answers: tuple[int, ...] | None = None

    def predict(self, logits: tf.Tensor) -> tf.Tensor:
        """The answer to each example, [B] int64, from logits [B, outputs] float32."""
        if self.answers is None:
            return tf.argmax(logits, axis=1)
        answers = tf.constant(self.answers, tf.int64)
        allowed = tf.where(answers >= 0, logits, -np.inf)
        return tf.gather(answers, tf.argmax(allowed, axis=1))


def reading_of(task: Task, run_tasks: Sequence[Task], heads: int) -> Reading:
    """How a network that was trained on `run_tasks`, with so many heads, answers a task.

    The task may be one of them; it may be made of the labels of one, such as the classes of
    `cifar10`; or it may have as many classes as the one head there is.

    Raises:
        RequestError: its answer cannot be had from any output.
    """
    names = [run_task.name for run_task in run_tasks]
    if task.name in names:
        return Reading(names.index(task.name))
    for index, whole in enumerate(run_tasks):
        if (whole.dataset, whole.change, whole.labels) == (task.dataset, task.change, None):
            return Reading(index, task.labels)
    if heads == 1 and run_tasks[0].classes == task.classes:
        return Reading(0)
    outputs = ", ".join(f"{run_task.name} ({run_task.classes})" for run_task in run_tasks)
    raise RequestError(
        f"--tasks: {task.name} with its {task.classes} classes does not fit the network, whose "
        f"outputs are for {outputs}; name one of those, or a task made of their classes"
    )


def restore_network(run: Path, settings: argparse.Namespace, tasks: Sequence[Task]) -> Network:
    """The network that the run saved last.

    Raises:
        RequestError: there is none, or it is not the one that the settings describe.
    """
    without_weights = argparse.Namespace(**{**vars(settings), "weights": "none"})
    try:
        network = build_network(without_weights, [task.classes for task in tasks])
    except Exception as error:  # Keras raises nearly anything
        raise RequestError(
            f"{run / CONFIG} does not describe a network ({str(error).partition(chr(10))[0]}"
            "); start the run again"
        ) from error
    checkpoint = tf.train.Checkpoint(trunk=network.trunk, heads=network.heads)
    if restore_last(run, checkpoint) is None:
        raise RequestError(
            f"{run} has no network in its checkpoints: one is saved after --checkpoint-frequency "
            "steps, and when a run ends or is stopped; name another run, or go on with this one"
        )
    return network


def score(
    network: Network,
    tasks: Sequence[Task],
    readings: Sequence[Reading],
    run_tasks: Sequence[Task],
    datasets: dict[str, Dataset],
    settings: argparse.Namespace,
) -> list[np.ndarray]:
    """Each task's confusion matrix, as `confusion` has them.

    The images come to the network in the scale of those that it was trained on.
    """
    learners = make_learners(tasks, datasets, settings)
    if settings.standardize:
        trained = make_learners(run_tasks, datasets, settings)
        for learner, reading in zip(learners, readings, strict=True):
            learner.feed.scale = trained[reading.head].feed.scale
    return confusion(network, learners, readings, [task.classes for task in tasks])


def confusion(
    network: Network, learners: Sequence[Learner], readings: Sequence[Reading], classes: list[int]
) -> list[np.ndarray]:
    """For each learner how often each class was taken for each, over its whole test set.

    Returns:
        [classes, classes] int64 each: a row for each true class, a column for each answer.
    """
    counts = [np.zeros((n, n), np.int64) for n in classes]
    for group in by_feed(learners):
        feed = group[0].feed
        heads = [readings[learner.index].head for learner in group]
        # Compiled, as in a run's own tests, so that it rounds as they do.
        logits_from = tf.function(
            lambda start, feed=feed, heads=heads: network.logits(
                feed.batch_to_test(start), heads, training=False
            ),
            autograph=False,
        )
        for start in range(0, feed.test.count, feed.test_batch):
            outputs = logits_from(tf.constant(start))
            for learner, logits in zip(group, outputs, strict=True):
                answers = readings[learner.index].predict(logits)
                true = learner.test_labels[start : start + feed.test_batch]
                np.add.at(counts[learner.index], (true.numpy(), answers.numpy()), 1)
    return counts
