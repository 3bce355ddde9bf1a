"""The tasks on grey digits. To add one, write its change here and add it to TASKS.

A change imports TensorFlow itself: the list of tasks must answer before that has loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.task import Seeds, Task

if TYPE_CHECKING:
    import tensorflow as tf


def mirror(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Top to bottom: the first row becomes the last."""
    return images[:, ::-1]


def invert(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Black becomes white."""
    return 1 - images


def noise(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Uniform noise in place of the images, another one in every batch."""
    import tensorflow as tf

    return tf.random.stateless_uniform(tf.shape(images), seeds.batch)


def permute_rows(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """The rows in another order, one for the whole run."""
    import tensorflow as tf

    order = tf.random.experimental.stateless_shuffle(tf.range(images.shape[1]), seeds.run)
    return tf.gather(images, order, axis=1)


def zeros(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """Black images."""
    import tensorflow as tf

    return tf.zeros_like(images)


def ones(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """White images."""
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
