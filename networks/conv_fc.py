"""The article's network: convolutions, then fully connected layers, as many of each as named."""

import argparse
from collections.abc import Sequence
from functools import partial

import keras

from networks.channels import first_channel
from networks.layers import (
    BatchNormalization,
    LocalResponseNorm,
    PooledConvolution,
    dropout,
    stack,
)
from settings.randomness import Stream, stream_key

# Initial weights and biases of the article's network.
WEIGHT_SD = 0.1
BIAS = 0.1


def build(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], outputs: Sequence[int]
) -> tuple[keras.Model, list[keras.Model]]:
    """Trunk and heads: all layers but the output, and an output layer for each of `outputs`."""
    layers = []
    channels = input_shape[-1]
    for depth, filters in enumerate(settings.filters):
        layers += conv_block(settings, filters, channels, depth)
        channels = filters
    if settings.filters:
        input_shape = (*input_shape[:2], None)  # grey or colour images, as they are
    layers.append(keras.layers.Flatten())
    place = len(settings.filters)
    for _ in range(settings.network.count("fc") - 1):
        weights = initial_values(settings.seed, place)
        layers.append(keras.layers.Dense(settings.hidden_units, activation="relu", **weights))
        place += 1
    trunk = stack(input_shape, *layers)
    heads = [
        stack(
            trunk.output_shape[1:],
            keras.layers.Dense(classes, **initial_values(settings.seed, place + index)),
        )
        for index, classes in enumerate(outputs)
    ]
    return trunk, heads


def conv_block(
    settings: argparse.Namespace, filters: int, channels: int, depth: int
) -> list[keras.layers.Layer]:
    """Convolution, ReLU, pooling, normalisation and dropout, on that many channels."""
    style = settings.input_style
    first = (lambda count: 0) if depth else partial(first_channel, input_style=style)
    weights = initial_values(settings.seed, depth)
    block = [PooledConvolution(filters, channels, first, **weights)]
    if settings.norm == "batch":
        block.append(BatchNormalization())
    elif settings.norm == "lrn":
        block.append(LocalResponseNorm())
    return block + dropout(settings, depth)


def initial_values(seed: int, place: int) -> dict[str, keras.initializers.Initializer]:
    """How the weights and biases of the layer at that place begin."""
    return {
        "kernel_initializer": keras.initializers.TruncatedNormal(
            stddev=WEIGHT_SD, seed=stream_key(seed, Stream.WEIGHTS, place)
        ),
        "bias_initializer": keras.initializers.Constant(BIAS),
    }
