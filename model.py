"""The network and its optimiser, built from the flags out of Keras's parts."""

import argparse

import keras
import tensorflow as tf

from randomness import Stream, stream_key

# Initial weights and biases of the article's network.
WEIGHT_SD = 0.1
BIAS = 0.1


class LocalResponseNorm(keras.layers.Layer):
    """Local response normalisation over channels (Krizhevsky et al. 2012, section 3.3).

    The constants are those of TensorFlow's CIFAR-10 tutorial, which divides alpha by the nine
    channels of the window.
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """[B, H, W, C] float32 to the same."""
        return tf.nn.local_response_normalization(
            images, depth_radius=4, bias=1.0, alpha=0.001 / 9.0, beta=0.75
        )


def build_network(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], classes: int
) -> keras.Sequential:
    """The stack of layers that the flags name, from images to logits.

    Args:
        settings: of which network, filters, hidden_units, norm, dropout and seed are read.
        input_shape: (H, W, C) of the images [B, H, W, C] float32.
        classes: how many logits there are, [B, classes] float32.
    """
    layers = [keras.Input(input_shape)]
    for depth, filters in enumerate(settings.filters):
        layers += conv_block(settings, filters, depth)
    layers.append(keras.layers.Flatten())
    hidden = settings.network.count("fc") - 1
    widths = [settings.hidden_units] * hidden + [classes]
    for index, width in enumerate(widths):
        layers.append(
            keras.layers.Dense(
                width,
                activation="relu" if index < hidden else None,
                **initial_values(settings.seed, len(settings.filters) + index),
            )
        )
    return keras.Sequential(layers, name="network")


def conv_block(settings: argparse.Namespace, filters: int, depth: int) -> list[keras.layers.Layer]:
    """Convolution, ReLU, pooling, normalisation and dropout."""
    block = [
        keras.layers.Conv2D(
            filters,
            5,
            padding="same",
            activation="relu",
            **initial_values(settings.seed, depth),
        ),
        keras.layers.MaxPooling2D(3, strides=2, padding="same"),
    ]
    if settings.norm == "batch":
        block.append(keras.layers.BatchNormalization())
    elif settings.norm == "lrn":
        block.append(LocalResponseNorm())
    if settings.dropout < 1:
        seed = stream_key(settings.seed, Stream.DROPOUT, depth)
        block.append(keras.layers.Dropout(1 - settings.dropout, seed=seed))
    return block


def initial_values(seed: int, depth: int) -> dict[str, keras.initializers.Initializer]:
    """How the weights and biases of the layer at that depth begin."""
    return {
        "kernel_initializer": keras.initializers.TruncatedNormal(
            stddev=WEIGHT_SD, seed=stream_key(seed, Stream.WEIGHTS, depth)
        ),
        "bias_initializer": keras.initializers.Constant(BIAS),
    }


def set_dropout_step(network: keras.Model, step: tf.Tensor) -> None:
    """Makes what the dropout layers draw next a function of their seeds and the step alone.

    Keras counts their draws instead, which would make a mask depend on how a run came to its step.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign(tf.stack([tf.constant(layer.seed, step.dtype), step]))


def build_optimizer(settings: argparse.Namespace) -> keras.optimizers.Optimizer:
    """Plain gradient descent, or Adam with Keras's defaults."""
    optimizers = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    return optimizers[settings.optimizer](learning_rate=settings.learning_rate)
