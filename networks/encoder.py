"""An encoder of five convolutions, and for each task a decoder with a hidden layer of its own."""

import argparse
from collections.abc import Sequence

import keras

from networks.layers import convolution, dense, he_normal, normalised, output, stack

# The filters and the stride of each convolution.
CONVOLUTIONS = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1))
HIDDEN_UNITS = 512
# Not Keras's 0.99: where a task is trained in one step of ten or fifty, its decoder's mean and
# variance would still be near their initial values at the end of a run.
MOMENTUM = 0.9


def build(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], outputs: Sequence[int]
) -> tuple[keras.Model, list[keras.Model]]:
    """Trunk and heads: the encoder, and a decoder for each of `outputs`."""
    layers = []
    for place, (filters, strides) in enumerate(CONVOLUTIONS):
        weights = he_normal(settings.seed, place)
        layers += normalised(convolution(filters, strides, weights), MOMENTUM)
    trunk = stack(input_shape, *layers, keras.layers.Flatten())
    heads = []
    for index, classes in enumerate(outputs):
        place = len(CONVOLUTIONS) + 2 * index
        weights = he_normal(settings.seed, place)
        decoder = normalised(dense(HIDDEN_UNITS, weights), MOMENTUM)
        decoder.append(output(settings, classes, place + 1))
        heads.append(stack(trunk.output_shape[1:], *decoder))
    return trunk, heads
