"""What is computed in a faster order is what Keras's layers compute in the textbook's."""

import argparse

import keras
import numpy as np
import pytest
import tensorflow as tf
from settings.checks import chosen_tasks

from data.dataset import Dataset, Split
from model import build_network, build_optimizer, layers_of, set_dropout_step
from networks import layers as fast
from networks.channels import lay_channels
from settings import parse_flags
from training.feed import make_learners
from training.step import EvaluationLoop, TrainingLoop, losses

STEPS = 200
BATCH = 100
DIGITS = tuple("0123456789")


def pictures(count: int, channels: int) -> Split:
    """A pattern for each of ten classes, and as much noise."""
    draw = np.random.default_rng(0)
    patterns = draw.integers(0, 128, (10, 28, 28, channels))
    labels = np.arange(count, dtype=np.int32) % 10
    noise = draw.integers(0, 128, (count, 28, 28, channels))
    return Split((patterns[labels] + noise).astype(np.uint8), labels)


class SameMask(keras.layers.Layer):
    """Drops what another layer drops."""

    def __init__(self, dropout: fast.Dropout) -> None:
        super().__init__()
        self.draw = lambda shape: dropout(tf.ones(shape), training=True)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return inputs * self.draw(tf.shape(inputs)) if training else inputs


def in_the_textbook(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """What stands for one of our layers there."""
    keras_layers = keras.layers
    match layer:
        case fast.PooledConvolution():
            return [
                keras_layers.Conv2D(layer.filters, 5, padding="same", activation="relu"),
                keras_layers.MaxPooling2D(3, strides=2, padding="same"),
            ]
        case fast.BatchNormalization():
            return [keras_layers.BatchNormalization(momentum=layer.momentum)]
        case fast.Dropout():
            return [SameMask(layer)]
        case fast.LocalResponseNorm():
            lrn = tf.nn.local_response_normalization
            return [keras_layers.Lambda(lambda values: lrn(values, 4, 1.0, 0.001 / 9, 0.75))]
        case _:
            assert type(layer).__module__.startswith("keras.")
            return [type(layer).from_config(layer.get_config())]


class Textbook:
    """The textbook's copy of the network that a loop trains."""

    def __init__(self, training: TrainingLoop, settings: argparse.Namespace) -> None:
        self.training, self.style = training, settings.input_style
        self.feed = training.learners[0].feed
        self.ours = [layer for part in training.parts for layer in layers_of(part)]
        self.theirs = [in_the_textbook(layer) for layer in self.ours]
        self.network = keras.Sequential([each for layers in self.theirs for each in layers])
        self.network(lay_channels(self.feed.batch_to_test(0), self.style))
        self.optimizer = keras.optimizers.SGD(settings.learning_rate)
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
        """The loss of a step."""
        ((images, (labels,)),) = self.training.batches(step, step * BATCH)
        set_dropout_step(self.training.parts, step)
        with tf.GradientTape() as tape:
            logits = self.network(lay_channels(images, self.style), training=True)
            loss = tf.reduce_mean(losses(labels, logits))
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def test(self) -> float:
        """The loss in a test of 200 images."""
        logits = self.network(lay_channels(self.feed.batch_to_test(0), self.style), training=False)
        return float(tf.reduce_mean(losses(self.training.learners[0].test_labels, logits)))


def both(channels: int, flags: str) -> tuple[TrainingLoop, EvaluationLoop, Textbook]:
    """Our loops, and the textbook's copy of their network."""
    settings = parse_flags(["--tasks", "id" if channels == 1 else "cifar10", *flags.split()])
    (task,) = chosen_tasks(settings)
    network = build_network(settings, [10])
    optimizer = build_optimizer(settings)
    optimizer.build(network.trainable_variables)
    dataset = Dataset(pictures(1_000, channels), pictures(200, channels), DIGITS, "patterns")
    learners = make_learners([task], {task.dataset: dataset}, settings)
    training = TrainingLoop(learners, [1.0], network, optimizer, settings)
    return training, EvaluationLoop(learners, network), Textbook(training, settings)


@pytest.mark.parametrize(
    ("channels", "flags"),
    [
        # Batch normalisation makes a chaos of large steps: from weights that differ by 1e-7 the
        # textbook's losses drift apart, too, within ten steps at the usual rate.
        (1, "--learning-rate 0.0001"),
        (3, "--learning-rate 0.0001 --filters 16 --input-style channelplex"),
        (1, "--learning-rate 0.002 --filters 16 --norm lrn --input-style channelplex"),
        (1, "--learning-rate 0.002 --filters 16 --norm none"),
    ],
)
def test_the_losses_of_200_steps_are_the_textbooks(channels, flags):
    training, evaluation, textbook = both(channels, flags)
    ours = [training.train(step, step + 1, step * BATCH)[0].loss for step in range(STEPS)]
    theirs = [float(textbook.train(tf.constant(step, tf.int64))) for step in range(STEPS)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    assert np.mean(ours[-10:]) < np.mean(ours[:10])  # something was learned meanwhile
    assert evaluation.test()[0].loss == pytest.approx(textbook.test(), rel=1e-3)


@pytest.mark.parametrize(
    ("channels", "flags", "steps"),
    [
        (1, "--filters 16", 50),
        (3, "--filters 16", 50),
        (3, "--filters 8 16 --network conv conv fc fc --learning-rate 0.01", 30),
        (1, "--network towers", 5),
        (3, "--network encoder", 5),
    ],
)
def test_every_step_at_the_usual_rate_is_the_textbooks(channels, flags, steps):
    """Each from the weights to which our loop has come, so that no difference grows."""
    training, _, textbook = both(channels, flags)
    for step in range(steps):
        textbook.copy_weights()
        before = textbook.weights()
        theirs = float(textbook.train(tf.constant(step, tf.int64)))
        after = textbook.weights()
        ours = training.train(step, step + 1, step * BATCH)[0].loss
        textbook.copy_weights()
        assert ours == pytest.approx(theirs, rel=1e-3)
        off = np.linalg.norm(textbook.weights() - after) / np.linalg.norm(after - before)
        assert off < 2e-2  # of the length of the step
