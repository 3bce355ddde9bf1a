"""The network as a whole, and its optimizer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model import BUILDERS, Network, build_optimizer, layers_of, set_dropout_step, squared_weights
from networks.channels import lay_channels
from networks.facts import NETWORKS
from tests.support.problems import make_network, make_settings

IMAGES = np.random.default_rng(0).random((4, 28, 28, 3), dtype=np.float32)


def layers(model: Network) -> list[keras.layers.Layer]:
    return [*layers_of(model.trunk), *layers_of(model.heads[0])]


def test_the_table_of_facts_has_the_networks_that_can_be_built():
    assert NETWORKS.keys() == BUILDERS.keys()


def test_tasks_share_a_head_or_have_one_each():
    shared, multi = (make_network(heads=heads, classes=(10, 10)) for heads in ("shared", "multi"))
    assert shared.head(0) is shared.head(1)
    assert multi.head(0) is not multi.head(1)
    assert [head.layers[0].kernel.shape for head in multi.heads] == [(14 * 14 * 64, 10)] * 2
    assert len(shared.parts([0, 1])) == 2
    assert len(multi.parts([0, 1])) == 3


@pytest.mark.parametrize("image_channels", [1, 3])
def test_images_are_laid_into_the_channels_of_the_input_style(image_channels):
    model = make_network("encoder", input_style="channelplex", image_size=8, classes=(10, 10))
    assert model.trunk.input_shape == (None, 8, 8, 4)
    images = tf.constant(IMAGES[:, :8, :8, :image_channels])
    (logits,) = model.logits(images, [1], training=False)
    laid = lay_channels(images, "channelplex")
    np.testing.assert_allclose(logits, model.heads[1](model.trunk(laid)), rtol=1e-5)


def test_dropout_follows_from_the_step_and_is_off_in_evaluation():
    model = make_network("conv", "conv", "fc", filters=(4,), norm="none", dropout=0.5)

    def logits_at(step: int, training: bool = True) -> np.ndarray:
        set_dropout_step(model.parts([0]), tf.constant(step, tf.int64))
        return model.logits(tf.constant(IMAGES), [0], training)[0].numpy()

    assert (logits_at(5) != logits_at(6)).all()
    np.testing.assert_array_equal(logits_at(5), logits_at(5))
    np.testing.assert_array_equal(logits_at(5, training=False), logits_at(6, training=False))
    first_seed, second_seed = (
        layer.seed_generator.state.numpy() for layer in layers(model) if "dropout" in layer.name
    )
    assert first_seed[0] != second_seed[0]


@pytest.mark.parametrize("norm", ["batch", "lrn"])
def test_bfloat16_is_for_convolutions_and_matrix_products_alone(norm):
    """Weights, the statistics of normalization and logits are float32."""
    half, whole = (
        make_network("conv", "conv", "fc", "fc", filters=(4,), norm=norm, precision=precision)
        for precision in ("bfloat16", "float32")
    )
    assert {weight.dtype for layer in layers(half) for weight in layer.weights} <= {
        "float32",
        "int64",  # the seed state of dropout
    }
    for layer in layers(half):
        multiplies = isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
        if multiplies or layer.weights or "norm" in layer.name:
            assert layer.compute_dtype == ("bfloat16" if multiplies else "float32")
    for training in (False, True):
        few, many = (each.logits(tf.constant(IMAGES), [0], training)[0] for each in (half, whole))
        assert few.dtype == tf.float32
        np.testing.assert_allclose(few, many, atol=0.05 * np.abs(many).max())
        assert (few != many).numpy().any()


def test_squared_weights_are_those_of_kernels():
    model = make_network("towers", image_size=8, classes=(7,))
    kernels = [layer.kernel.numpy() for layer in layers(model) if hasattr(layer, "kernel")]
    expected = sum((kernel.astype(float) ** 2).sum() for kernel in kernels)
    assert len(kernels) == 4
    assert float(squared_weights(model.parts([0]))) == pytest.approx(expected, rel=1e-4)


def test_optimizers():
    sgd = build_optimizer(make_settings().training)
    adam = build_optimizer(make_settings(optimizer="adam", learning_rate=0.002).training)
    assert isinstance(sgd, keras.optimizers.SGD)
    assert float(sgd.learning_rate) == pytest.approx(0.1)
    assert float(sgd.momentum) == 0
    assert isinstance(adam, keras.optimizers.Adam)
    assert float(adam.learning_rate) == pytest.approx(0.002)
    default = build_optimizer(make_settings(optimizer="adam").training)
    assert float(default.learning_rate) == pytest.approx(0.001)
