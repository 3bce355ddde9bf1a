"""The article's network: its layers and initial weights, and both normalisations by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model import Network, build_network, build_optimizer, set_dropout_step
from networks.layers import LocalResponseNorm
from settings import parse_flags


def network(*flags: str) -> Network:
    return build_network(parse_flags(["--tasks", "id", *flags]), classes=[10])


def layers(model: Network) -> list[keras.layers.Layer]:
    return [*model.trunk.layers, *model.heads[0].layers]


def weights(model: Network) -> list[np.ndarray]:
    return [w.numpy() for layer in layers(model) for w in layer.weights]


def kernels(model: Network) -> list[tuple[int, ...]]:
    return [layer.kernel.shape for layer in layers(model) if hasattr(layer, "kernel")]


def layer_names(model: Network) -> list[str]:
    return [type(layer).__name__ for layer in layers(model)]


def test_default_network():
    model = network()
    assert layer_names(model) == [
        "PooledConvolution",
        "BatchNormalization",
        "Dropout",
        "Flatten",
        "Dense",
    ]
    convolution, _, dropout, _, output = layers(model)
    assert convolution.kernel.shape == (5, 5, 3, 64)
    assert convolution.output.shape == (None, 14, 14, 64)
    assert dropout.rate == pytest.approx(0.1)
    assert output.kernel.shape == (14 * 14 * 64, 10)
    assert output.activation is keras.activations.linear


def test_deeper_networks():
    model = network("--network", "conv", "conv", "conv", "fc", "fc", "--norm", "none")
    assert kernels(model) == [
        (5, 5, 3, 64),
        (5, 5, 64, 128),
        (5, 5, 128, 128),
        (4 * 4 * 128, 500),
        (500, 10),
    ]
    assert layers(model)[-2].activation is keras.activations.relu
    assert layer_names(network("--network", "fc")) == ["Flatten", "Dense"]


def test_widths_and_keeping_everything():
    flags = ("--network", "conv", "conv", "fc", "fc", "--filters", "8", "--hidden-units", "7")
    model = network(*flags, "--dropout", "1")
    assert [shape[-1] for shape in kernels(model)] == [8, 8, 7, 10]
    assert "Dropout" not in layer_names(model)


def test_initial_weights():
    model = network("--network", "conv", "conv", "fc", "fc")
    for layer in layers(model):
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy()
            # A normal of sd 0.1, cut off at twice that, has an sd of 0.088.
            assert abs(kernel).max() <= 0.2
            assert kernel.std() == pytest.approx(0.088, abs=0.004)
            np.testing.assert_allclose(layer.bias.numpy(), 0.1)


def test_initial_weights_follow_from_the_seed():
    first, again, other = (weights(network("--seed", seed)) for seed in "112")
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).mean() > 0.99
    hidden, _, output, _ = weights(network("--network", "fc", "fc"))
    assert (hidden.ravel()[:100] != output.ravel()[:100]).any()


def test_local_response_normalisation_by_hand():
    values = np.zeros((1, 1, 1, 12), np.float32)
    values[0, 0, 0, [0, 4, 11]] = (30, 60, 90)
    shown = LocalResponseNorm()(tf.constant(values)).numpy()[0, 0, 0]
    # A window reaches 4 channels either way: channels 0 and 4 see each other, 11 sees neither.
    assert shown[0] == pytest.approx(30 / (1 + 0.001 / 9 * (30**2 + 60**2)) ** 0.75, rel=1e-5)
    assert shown[4] == pytest.approx(60 / (1 + 0.001 / 9 * (30**2 + 60**2)) ** 0.75, rel=1e-5)
    assert shown[11] == pytest.approx(90 / (1 + 0.001 / 9 * 90**2) ** 0.75, rel=1e-5)


def test_batch_normalisation_by_hand():
    model = network("--network", "conv", "fc", "--dropout", "1")
    normalisation = layers(model)[1]
    values = np.zeros((2, 14, 14, 64), np.float32)
    values[0], values[1] = 1, 5  # of mean 3 and variance 4
    shown = normalisation(tf.constant(values), training=True).numpy()
    np.testing.assert_allclose(shown[0], -2 / np.sqrt(4 + 1e-3), rtol=1e-5)
    np.testing.assert_allclose(shown[1], 2 / np.sqrt(4 + 1e-3), rtol=1e-5)
    # The statistics that testing uses move a hundredth of the way, from 0 and 1.
    np.testing.assert_allclose(normalisation.moving_mean.numpy(), 0.03, rtol=1e-5)
    np.testing.assert_allclose(normalisation.moving_variance.numpy(), 0.99 + 0.04, rtol=1e-5)
    tested = normalisation(tf.constant(values), training=False).numpy()
    np.testing.assert_allclose(tested[1], (5 - 0.03) / np.sqrt(1.03 + 1e-3), rtol=1e-5)


def test_dropout_follows_from_the_step():
    model = network("--network", "conv", "conv", "fc", "--norm", "none", "--dropout", "0.5")
    images = tf.random.stateless_uniform((4, 28, 28, 3), seed=(1, 2))

    def logits_at(step: int) -> np.ndarray:
        set_dropout_step(model.parts([0]), tf.constant(step, tf.int64))
        return model.logits(images, [0], training=True)[0].numpy()

    first, second, again = logits_at(5), logits_at(6), logits_at(5)
    assert (first != second).all()
    np.testing.assert_array_equal(first, again)
    first_mask, second_mask = (
        layer.seed_generator.state.numpy() for layer in layers(model) if "dropout" in layer.name
    )
    assert first_mask[0] != second_mask[0]


def test_dropout_is_off_in_testing():
    model = network("--dropout", "0.5")
    images = tf.ones((1, 28, 28, 3))
    first, again = (model.logits(images, [0], training=False)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("norm", ["batch", "lrn"])
def test_bfloat16_is_for_convolutions_and_matrix_products_alone(norm):
    """The weights, the normalisation's statistics and what comes out are float32."""
    flags = ("--network", "conv", "conv", "fc", "fc", "--filters", "4", "--norm", norm)
    half, whole = network(*flags, "--precision", "bfloat16"), network(*flags)
    assert {weight.dtype for layer in layers(half) for weight in layer.weights} <= {
        "float32",
        "int64",  # what dropout draws from
    }
    for layer in layers(half):
        multiplies = isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
        if multiplies or layer.weights or "norm" in layer.name:
            assert layer.compute_dtype == ("bfloat16" if multiplies else "float32")
    images = tf.random.stateless_uniform((4, 28, 28, 3), seed=(1, 2))
    for training in (False, True):
        few, many = (each.logits(images, [0], training)[0] for each in (half, whole))
        assert few.dtype == tf.float32
        np.testing.assert_allclose(few, many, atol=0.05 * np.abs(many).max())
        assert (few != many).numpy().any()


def test_optimizers():
    sgd = build_optimizer(parse_flags(["--tasks", "id"]))
    adam = build_optimizer(parse_flags(["--optimizer", "adam", "--learning-rate", "0.002"]))
    assert isinstance(sgd, keras.optimizers.SGD)
    assert float(sgd.learning_rate) == pytest.approx(0.1)
    assert float(sgd.momentum) == 0
    assert isinstance(adam, keras.optimizers.Adam)
    assert float(adam.learning_rate) == pytest.approx(0.002)
