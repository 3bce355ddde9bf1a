"""An encoder of five convolutions, and for each task a decoder with a hidden layer of its own."""

import argparse
from collections.abc import Sequence

import keras

from networks.layers import convolution, hidden, output, stack

# The filters and the stride of each convolution.
CONVOLUTIONS = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1))
HIDDEN_UNITS = 512


def build(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], outputs: Sequence[int]
) -> tuple[keras.Model, list[keras.Model]]:
    """Trunk and heads: the encoder, and a decoder for each of `outputs`."""
    layers = []
    for place, (filters, strides) in enumerate(CONVOLUTIONS):
        layers += convolution(settings, filters, place, strides)
    trunk = stack(input_shape, *layers, keras.layers.Flatten())
    heads = []
    for index, classes in enumerate(outputs):
        place = len(CONVOLUTIONS) + 2 * index
        decoder = [*hidden(settings, HIDDEN_UNITS, place), output(settings, classes, place + 1)]
        heads.append(stack(trunk.output_shape[1:], *decoder))
    return trunk, heads
