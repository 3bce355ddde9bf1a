"""Stacks of convolutions and fully connected layers, the default network among them."""

import keras
import numpy as np
import pytest

from model import Network
from tests.support.problems import make_network, weights_of

DEEP = ("conv", "conv", "fc", "fc")


def layers(model: Network) -> list[keras.layers.Layer]:
    return [*model.trunk.layers, *model.heads[0].layers]


def kernels(model: Network) -> list[tuple[int, ...]]:
    return [layer.kernel.shape for layer in layers(model) if hasattr(layer, "kernel")]


def layer_names(model: Network) -> list[str]:
    return [type(layer).__name__ for layer in layers(model)]


def test_default_network():
    model = make_network()
    convolution, normalization, dropout, _, output = layers(model)
    assert layer_names(model) == [
        *("PooledConvolution", "BatchNormalization", "Dropout", "Flatten", "Dense")
    ]
    assert convolution.kernel.shape == (5, 5, 3, 64)
    assert convolution.output.shape == (None, 14, 14, 64)
    assert (normalization.momentum, normalization.epsilon) == (0.99, 1e-3)
    assert dropout.rate == pytest.approx(0.1)
    assert output.kernel.shape == (14 * 14 * 64, 10)
    assert output.activation is keras.activations.linear


def test_deeper_networks():
    model = make_network("conv", "conv", "conv", "fc", "fc", norm="none")
    convolutions = [(5, 5, 3, 64), (5, 5, 64, 128), (5, 5, 128, 128)]
    assert kernels(model) == [*convolutions, (4 * 4 * 128, 500), (500, 10)]
    assert layers(model)[-2].activation is keras.activations.relu
    assert layer_names(make_network("fc")) == ["Flatten", "Dense"]


def test_widths_and_no_dropout():
    model = make_network(*DEEP, filters=(8,), hidden_units=7, dropout=1.0)
    assert [shape[-1] for shape in kernels(model)] == [8, 8, 7, 10]
    assert "Dropout" not in layer_names(model)


def test_initial_weights():
    for layer in layers(make_network(*DEEP)):
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy()
            # A normal distribution of sd 0.1, truncated at twice that, has an sd of 0.088.
            assert abs(kernel).max() <= 0.2
            assert kernel.std() == pytest.approx(0.088, abs=0.004)
            np.testing.assert_allclose(layer.bias.numpy(), 0.1)


def test_initial_weights_follow_from_the_seed():
    first, again, other = (weights_of(make_network(seed=seed)) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).mean() > 0.99
    hidden, _, output, _ = weights_of(make_network("fc", "fc"))
    assert (hidden.ravel()[:100] != output.ravel()[:100]).any()
