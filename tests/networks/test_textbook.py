"""Training with the fast layers, step by step against the same network with Keras's own layers."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.dataset import Split
from model import layers_of, set_dropout_step
from networks import layers as fast
from networks.channels import lay_channels
from tests.support.problems import make_problem, train
from training.problem import Problem
from training.step import cross_entropy

STEPS = 200
BATCH = 50
DEEP = ("conv", "conv", "fc", "fc")


def pictures(count: int, channels: int) -> Split:
    """Returns a pattern for each of ten classes, with as much noise."""
    draw = np.random.default_rng(0)
    patterns = draw.integers(0, 128, (10, 28, 28, channels))
    labels = np.arange(count, dtype=np.int32) % 10
    noise = draw.integers(0, 128, (count, 28, 28, channels))
    return Split((patterns[labels] + noise).astype(np.uint8), labels)


class SameMask(keras.layers.Layer):
    """Applies the mask of another dropout layer."""

    def __init__(self, dropout: fast.Dropout) -> None:
        super().__init__()
        self.draw = lambda shape: dropout(tf.ones(shape), training=True)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return inputs * self.draw(tf.shape(inputs)) if training else inputs


def in_the_textbook(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers of Keras that compute the same."""
    match layer:
        case fast.PooledConvolution():
            return [
                keras.layers.Conv2D(layer.filters, 5, padding="same", activation="relu"),
                keras.layers.MaxPooling2D(3, strides=2, padding="same"),
            ]
        case fast.BatchNormalization():
            return [keras.layers.BatchNormalization(momentum=layer.momentum)]
        case fast.Dropout():
            return [SameMask(layer)]
        case fast.LocalResponseNorm():
            lrn = tf.nn.local_response_normalization
            return [keras.layers.Lambda(lambda values: lrn(values, 4, 1.0, 0.001 / 9, 0.75))]
        case _:
            assert type(layer).__module__.startswith("keras.")
            return [type(layer).from_config(layer.get_config())]


class Textbook:
    """A copy of a problem's network with Keras's own layers and a training step of its own."""

    def __init__(self, problem: Problem) -> None:
        self.loop, self.data = problem.loop_for((0,)), problem.task_data[0]
        self.style = problem.network.input_style
        self.ours = [layer for part in self.loop.parts for layer in layers_of(part)]
        self.theirs = [in_the_textbook(layer) for layer in self.ours]
        self.network = keras.Sequential([each for layers in self.theirs for each in layers])
        self.images = lay_channels(self.data.feed.evaluation_batch(0), self.style)
        self.network(self.images)
        self.optimizer = keras.optimizers.SGD(problem.training.learning_rate)
        self.optimizer.build(self.network.trainable_variables)
        self.copy_weights()

    def copy_weights(self) -> None:
        for layer, (first, *_) in zip(self.ours, self.theirs, strict=True):
            if layer.weights and not isinstance(layer, fast.Dropout):
                first.set_weights(layer.get_weights())

    def weights(self) -> np.ndarray:
        return np.concatenate([v.numpy().ravel() for v in self.network.trainable_variables])

    @tf.function(input_signature=[tf.TensorSpec((), tf.int64)])
    def train(self, step: tf.Tensor) -> tf.Tensor:
        """Trains a step, and returns its loss."""
        (batch,) = self.loop.batches(step, step * BATCH)
        set_dropout_step(self.loop.parts, step)
        with tf.GradientTape() as tape:
            logits = self.network(lay_channels(batch.images, self.style), training=True)
            loss = tf.reduce_mean(cross_entropy(batch.labels[0], logits))
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def evaluate(self) -> float:
        """Returns the loss over the 200 images of the test set."""
        logits = self.network(self.images, training=False)
        return float(tf.reduce_mean(cross_entropy(self.data.test_labels, logits)))


def both(channels: int, settings: dict) -> tuple[Problem, Textbook]:
    """Returns a problem, and the textbook's copy of its network."""
    task = "id" if channels == 1 else "cifar10"
    make = partial(pictures, channels=channels)
    problem = make_problem(1_000, 200, make, tasks=(task,), batch=BATCH, **settings)
    return problem, Textbook(problem)


@pytest.mark.parametrize(
    ("channels", "settings"),
    [
        # Batch normalization makes large steps chaotic: from weights that differ by 1e-7 the
        # textbook's own losses diverge within ten steps at the default learning rate.
        (1, {"learning_rate": 0.0001, "filters": (8,)}),
        (3, {"learning_rate": 0.0001, "filters": (8,), "input_style": "channelplex"}),
        (1, {"learning_rate": 0.002, "filters": (8,), "norm": "lrn", "input_style": "channelplex"}),
        (1, {"learning_rate": 0.002, "filters": (8,), "norm": "none"}),
    ],
)
def test_the_losses_of_200_steps_equal_the_textbooks(channels, settings):
    problem, textbook = both(channels, settings)
    ours = [train(problem, step, step + 1).loss for step in range(STEPS)]
    theirs = [float(textbook.train(tf.constant(step, tf.int64))) for step in range(STEPS)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    assert np.mean(ours[-10:]) < np.mean(ours[:10])  # it learned in between
    (tally,) = problem.evaluate(lambda: False)
    assert tally.loss == pytest.approx(textbook.evaluate(), rel=1e-3)


@pytest.mark.parametrize(
    ("channels", "settings", "steps"),
    [
        (1, {}, 5),
        (1, {"filters": (8,)}, 50),
        (3, {"filters": (8,)}, 50),
        (3, {"filters": (4, 8), "network": DEEP, "learning_rate": 0.01}, 30),
        (1, {"network": ("towers",)}, 5),
        (3, {"network": ("encoder",)}, 5),
    ],
)
def test_every_step_at_the_default_rate_equals_the_textbooks(channels, settings, steps):
    """Starts each step from the weights of the fast network, so that no difference grows."""
    problem, textbook = both(channels, settings)
    for step in range(steps):
        textbook.copy_weights()
        before = textbook.weights()
        theirs = float(textbook.train(tf.constant(step, tf.int64)))
        after = textbook.weights()
        ours = train(problem, step, step + 1).loss
        textbook.copy_weights()
        assert ours == pytest.approx(theirs, rel=1e-3)
        off = np.linalg.norm(textbook.weights() - after) / np.linalg.norm(after - before)
        assert off < 2e-2  # of the length of the step
