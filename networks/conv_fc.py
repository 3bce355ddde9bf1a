"""Stacks of convolutions and then fully connected layers: the default network.

It is the network of David Mack, "Learning multiple tasks with gradient descent" (2018).
"""

from collections.abc import Sequence
from functools import partial

import keras

from networks.channels import first_channel, input_shape
from networks.layers import (
    BatchNormalization,
    LocalResponseNorm,
    PooledConvolution,
    dropout,
    stack,
)
from settings import InputSettings, NetworkSettings
from settings.randomness import Stream, stream_key

# Initial weights (standard deviation) and biases.
WEIGHT_SD = 0.1
BIAS = 0.1


def build(
    settings: NetworkSettings, images: InputSettings, outputs: Sequence[int], seed: int
) -> tuple[keras.Model, list[keras.Model]]:
    """Builds the trunk, all layers but the last, and an output layer for each of `outputs`."""
    shape = input_shape(images)
    channels = shape[-1]
    layers = []
    for depth, filters in enumerate(settings.filters):
        layers += conv_block(settings, images.input_style, (channels, filters), depth, seed)
        channels = filters
    if settings.filters:
        shape = (*shape[:2], None)  # gray or color images, as they are
    layers.append(keras.layers.Flatten())
    place = len(settings.filters)
    for _ in range(settings.network.count("fc") - 1):
        weights = initial_values(seed, place)
        layers.append(keras.layers.Dense(settings.hidden_units, activation="relu", **weights))
        place += 1
    trunk = stack(shape, *layers)
    heads = [
        stack(
            trunk.output_shape[1:],
            keras.layers.Dense(classes, **initial_values(seed, place + index)),
        )
        for index, classes in enumerate(outputs)
    ]
    return trunk, heads


def conv_block(
    settings: NetworkSettings, input_style: str, channels: tuple[int, int], depth: int, seed: int
) -> list[keras.layers.Layer]:
    """Returns a convolution with ReLU and pooling, normalization and dropout.

    `channels` are those of its input and its output.
    """
    count, filters = channels
    first = (lambda count: 0) if depth else partial(first_channel, input_style=input_style)
    block = [PooledConvolution(filters, count, first, **initial_values(seed, depth))]
    if settings.norm == "batch":
        block.append(BatchNormalization())
    elif settings.norm == "lrn":
        block.append(LocalResponseNorm())
    return block + dropout(settings.dropout, seed, depth)


def initial_values(seed: int, place: int) -> dict[str, keras.initializers.Initializer]:
    """Returns the initializers of the layer at a place, which has random weights of its own."""
    return {
        "kernel_initializer": keras.initializers.TruncatedNormal(
            stddev=WEIGHT_SD, seed=stream_key(seed, Stream.WEIGHTS, place)
        ),
        "bias_initializer": keras.initializers.Constant(BIAS),
    }
