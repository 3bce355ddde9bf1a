"""The layers of this project, each against what it replaces."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from networks.channels import first_channel, lay_channels
from networks.layers import BatchNormalization, Dropout, LocalResponseNorm, PooledConvolution


def draw(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def convolution(style: str, channels: int) -> PooledConvolution:
    layer = PooledConvolution(6, channels, lambda count: first_channel(count, style))
    layer.build((None, 9, 8, None))
    layer.kernel.assign(draw(5, 5, channels, 6))
    layer.bias.assign(draw(6, seed=1))
    return layer


def test_a_pooled_convolution_is_the_same_in_training_and_evaluation():
    """To the last bit: adding a number, rounding and ReLU keep the order of values."""
    layer, images = convolution("combined", 3), draw(4, 9, 8, 3, seed=2)
    trained, evaluated = (layer(images, training=training).numpy() for training in (True, False))
    np.testing.assert_array_equal(trained, evaluated)
    assert trained.shape == (4, 5, 4, 6)
    assert layer.compute_output_shape((4, 9, 8, 3)) == trained.shape
    assert (trained == 0).any()
    assert (trained > 0).any()


def test_a_pooled_convolution_in_bfloat16_sums_the_gradient_of_the_bias_in_float32():
    layer = PooledConvolution(2, 1, lambda count: 0, dtype="mixed_bfloat16")
    layer.build((None, 256, 256, 1))
    layer.bias.assign([1.0, 1.0])
    with tf.GradientTape() as tape:
        outputs = layer(tf.zeros((1, 256, 256, 1)), training=True)
        loss = tf.reduce_sum(outputs)
    assert outputs.dtype == tf.float32
    # 16,384 ones; a sum in bfloat16 ends at 256, to which it can add no 1.
    np.testing.assert_array_equal(tape.gradient(loss, layer.bias.value), [16_384.0] * 2)


@pytest.mark.parametrize(
    ("style", "image_channels", "used"),
    [
        ("combined", 1, [0]),
        ("combined", 3, [0, 1, 2]),
        ("channelplex", 1, [0]),
        ("channelplex", 3, [1, 2, 3]),
    ],
)
def test_a_pooled_convolution_leaves_out_empty_channels(style, image_channels, used):
    layer = convolution(style, 4 if style == "channelplex" else 3)
    images = draw(2, 9, 8, image_channels)
    with tf.GradientTape() as tape:
        few = layer(images, training=True)
        loss = tf.reduce_sum(few)
    laid = lay_channels(images, style)
    whole = tf.nn.conv2d(laid, layer.kernel, 1, "SAME") + layer.bias
    whole = tf.nn.max_pool2d(tf.nn.relu(whole), 3, 2, "SAME")
    np.testing.assert_allclose(few, whole, rtol=1e-4, atol=1e-5)
    # As with zeros in the empty channels, their part of the kernel is not trained.
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    assert np.flatnonzero(abs(gradient).sum((0, 1, 3))).tolist() == used


@pytest.mark.parametrize("shape", [(7, 5), (3, 4, 2, 5)])
def test_batch_normalization_equals_that_of_keras(shape):
    ours, theirs = (
        make(momentum=0.8) for make in (BatchNormalization, keras.layers.BatchNormalization)
    )
    for step in range(3):
        batch = 2 + 3 * draw(*shape, seed=step)
        results = []
        for layer in (ours, theirs):
            with tf.GradientTape() as tape:
                tape.watch(batch)
                outputs = layer(batch, training=True)
                loss = tf.reduce_sum(outputs**3)
            results.append([outputs, tape.gradient(loss, batch), layer(batch, training=False)])
        for one, other in zip(*results, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_dropout_keeps_a_share_of_the_values_and_their_mean(keep):
    layer = Dropout(keep, seed=5)
    dropped = layer(tf.ones((1001, 101)), training=True).numpy()  # an odd number of values
    kept = dropped > 0
    # Within five standard deviations of a hundred thousand independent draws.
    assert kept.mean() == pytest.approx(keep, abs=5 * np.sqrt(keep * (1 - keep) / kept.size))
    np.testing.assert_allclose(dropped[kept], 1 / keep, rtol=1e-3)
    # Neighbors, which are drawn from the same 32 bits, are independent.
    pairs = kept.ravel()[:-1].reshape(-1, 2)
    assert pairs.all(1).mean() == pytest.approx(keep**2, abs=5 * np.sqrt(keep / len(pairs)))


@pytest.mark.parametrize("keep", [1e-9, 1 - 1e-9])
def test_dropout_accepts_every_probability(keep):
    dropped = Dropout(keep, seed=5)(tf.ones(100_000), training=True).numpy()
    assert np.isfinite(dropped).all()
    assert (dropped > 0).mean() == pytest.approx(keep, abs=1e-3)


@pytest.mark.parametrize("channels", [1, 4, 12])
def test_local_response_normalization_equals_that_of_tensorflow(channels):
    images = 20 * draw(2, 3, 3, channels)
    gradients, outputs = [], []
    for normalize in (
        LocalResponseNorm(),
        lambda values: tf.nn.local_response_normalization(values, 4, 1.0, 0.001 / 9, 0.75),
    ):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs.append(normalize(images))
            loss = tf.reduce_sum(outputs[-1] ** 2)
        gradients.append(tape.gradient(loss, images))
    np.testing.assert_allclose(*outputs, rtol=1e-5)
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-4)
