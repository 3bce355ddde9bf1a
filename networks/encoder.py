"""An encoder of five convolutions, and for each task a decoder with a hidden layer of its own."""

from collections.abc import Sequence

import keras

from networks.channels import input_shape
from networks.layers import convolution, dense, he_normal, normalized, output, stack
from settings import InputSettings, NetworkSettings

# The filters and the stride of each convolution.
CONVOLUTIONS = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1))
HIDDEN_UNITS = 512
# Not Keras's 0.99: a task that is trained in one step of ten or fifty would end the run with its
# decoder's moving mean and variance still near their initial values.
MOMENTUM = 0.9


def build(
    settings: NetworkSettings, images: InputSettings, outputs: Sequence[int], seed: int
) -> tuple[keras.Model, list[keras.Model]]:
    """Builds the trunk, the encoder, and a decoder for each of `outputs`."""
    layers = []
    for place, (filters, strides) in enumerate(CONVOLUTIONS):
        weights = he_normal(seed, place)
        layers += normalized(convolution(filters, strides, weights), MOMENTUM)
    trunk = stack(input_shape(images), *layers, keras.layers.Flatten())
    heads = []
    for index, classes in enumerate(outputs):
        place = len(CONVOLUTIONS) + 2 * index
        decoder = normalized(dense(HIDDEN_UNITS, he_normal(seed, place)), MOMENTUM)
        decoder.append(output(classes, seed, place + 1))
        heads.append(stack(trunk.output_shape[1:], *decoder))
    return trunk, heads
