"""The tasks on MNIST. To add one, write its transform here and add it to TASKS.

A transform imports TensorFlow itself, so that flags are checked before that has loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.task import Seeds, Task

if TYPE_CHECKING:
    import tensorflow as tf


def mirror(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Mirrors the images top to bottom."""
    return images[:, ::-1]


def invert(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Swaps black and white."""
    return 1 - images


def noise(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Returns uniform noise, fresh for every batch."""
    import tensorflow as tf

    return tf.random.stateless_uniform(tf.shape(images), seeds.batch)


def permute_rows(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Permutes the rows, in one order for the whole run."""
    import tensorflow as tf

    order = tf.random.experimental.stateless_shuffle(tf.range(images.shape[1]), seeds.run)
    return tf.gather(images, order, axis=1)


def zeros(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Returns black images."""
    import tensorflow as tf

    return tf.zeros_like(images)


def ones(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Returns white images."""
    import tensorflow as tf

    return tf.ones_like(images)


TASKS = (
    Task("id", "mnist", "MNIST digits as they are"),
    Task("ref", "mnist", "MNIST digits mirrored top to bottom", mirror),
    Task("inv", "mnist", "MNIST digits with black and white swapped", invert),
    Task("noise", "mnist", "uniform noise under MNIST's labels: nothing to learn", noise),
    Task("perm", "mnist", "MNIST digits with their rows in another order", permute_rows),
    Task("zero", "mnist", "all zeros under MNIST's labels: nothing to see", zeros),
    Task("one", "mnist", "all ones under MNIST's labels: nothing to see", ones),
)
