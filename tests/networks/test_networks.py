"""The layers and the initial weights of every network."""

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from errors import RequestError
from model import Network, set_dropout_step, squared_weights
from networks.columns import CrossStitch
from tests.support.command import one_line, run_command
from tests.support.problems import make_network, weights_of

DEEP = ("conv", "conv", "fc", "fc")
IMAGES = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)


def logits(model: Network, training: bool) -> list[np.ndarray]:
    size, tasks = model.trunk.input_shape[1], range(len(model.heads))
    set_dropout_step(model.parts(tasks), tf.constant(3, tf.int64))
    images = tf.constant(IMAGES[:, :size, :size])
    return [each.numpy() for each in model.logits(images, tasks, training)]


def kernels(*parts: keras.Model) -> list[tuple[int, ...]]:
    layers = [layer for part in parts for layer in part.layers]
    return [layer.kernel.shape for layer in layers if hasattr(layer, "kernel")]


def names(*parts: keras.Model) -> list[str]:
    return [type(layer).__name__ for part in parts for layer in part.layers]


def test_default_network():
    trunk, head = make_network().parts([0])
    assert names(trunk) == ["PooledConvolution", "BatchNormalization", "Dropout", "Flatten"]
    assert names(head) == ["Dense"]
    convolution, normalization, dropout, _ = trunk.layers
    assert convolution.output.shape == (None, 14, 14, 64)
    assert (normalization.momentum, normalization.epsilon) == (0.99, 1e-3)
    assert dropout.rate == pytest.approx(0.1)
    assert kernels(trunk, head) == [(5, 5, 3, 64), (14 * 14 * 64, 10)]
    assert head.layers[0].activation is keras.activations.linear


def test_deeper_narrower_and_flat_networks():
    deep = make_network("conv", "conv", "conv", "fc", "fc", norm="none").parts([0])
    convolutions = [(5, 5, 3, 64), (5, 5, 64, 128), (5, 5, 128, 128)]
    assert kernels(*deep) == [*convolutions, (4 * 4 * 128, 500), (500, 10)]
    assert deep[0].layers[-1].activation is keras.activations.relu
    narrow = make_network(*DEEP, filters=(8,), hidden_units=7, dropout=1.0).parts([0])
    assert [shape[-1] for shape in kernels(*narrow)] == [8, 8, 7, 10]
    assert "Dropout" not in names(*narrow)
    assert names(*make_network("fc").parts([0])) == ["Flatten", "Dense"]


def test_initial_weights():
    weights = weights_of(make_network(*DEEP, norm="lrn", dropout=1.0))
    assert len(weights) == 8
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        # A normal distribution of sd 0.1, truncated at twice that, has an sd of 0.088.
        assert abs(kernel).max() <= 0.2
        assert kernel.std() == pytest.approx(0.088, abs=0.004)
        np.testing.assert_allclose(bias, 0.1)
    hidden, _, output, _ = weights_of(make_network("fc", "fc"))
    assert (hidden.ravel()[:100] != output.ravel()[:100]).any()


@pytest.mark.parametrize("network", [("conv", "fc"), ("mobilenetv2",)])
def test_initial_weights_follow_from_the_seed(network):
    first, again, other = (
        weights_of(make_network(*network, image_size=32, seed=seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_equal(first, again)
    assert (first[0] != other[0]).mean() > 0.99


def test_encoder():
    model = make_network("encoder", image_size=32, classes=(10, 2))
    channels = [3, 32, 64, 64, 128, 128]
    assert kernels(model.trunk) == [(3, 3, *pair) for pair in pairwise(channels)]
    convolutions = [layer for layer in model.trunk.layers if hasattr(layer, "kernel")]
    assert [layer.strides for layer in convolutions] == [(1, 1), (2, 2), (1, 1), (2, 2), (1, 1)]
    layers = [layer for part in model.parts([0, 1]) for layer in part.layers]
    # So that the statistics of a decoder that is trained in few of the steps are its own.
    assert {layer.momentum for layer in layers if hasattr(layer, "momentum")} == {0.9}
    assert names(model.trunk) == [*["Conv2D", "BatchNormalization", "ReLU"] * 5, "Flatten"]
    for head, classes in zip(model.heads, (10, 2), strict=True):
        assert kernels(head) == [(8 * 8 * 128, 512), (512, classes)]
        assert names(head) == ["Dense", "BatchNormalization", "ReLU", "Dense"]
    first, second = (head.layers[0].kernel.numpy() for head in model.heads)
    assert (first != second).any()
    assert len(make_network("encoder", heads="shared", classes=(10, 10)).heads) == 1


def test_towers_are_columns_with_weights_of_their_own():
    column, other = make_network("towers", image_size=32, classes=(7, 3)).heads
    assert kernels(column) == [(3, 3, 3, 32), (3, 3, 32, 64), (8 * 8 * 64, 1024), (1024, 7)]
    block = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    hidden = ["Flatten", "Dense", "BatchNormalization", "ReLU"]
    assert names(column) == names(other) == [*block, *block, *hidden, "Dropout", "Dense"]
    # He's initial weights have a variance of 2 over the number of inputs.
    kernel = column.layers[9].kernel.numpy()
    assert kernel.shape == (8 * 8 * 64, 1024)
    assert kernel.std() == pytest.approx((2 / kernel.shape[0]) ** 0.5, rel=0.01)
    for index in (0, 4, 9):
        assert (column.layers[index].kernel != other.layers[index].kernel).numpy().all()


@pytest.mark.parametrize("classes", [(10, 3), (10, 3, 4)])
def test_identity_units_leave_the_towers_as_they_are_to_the_last_bit(classes):
    towers, stitched = (
        make_network(name, dropout=0.5, image_size=8, classes=classes)
        for name in ("towers", "cross-stitch")
    )
    for training in (False, True):
        expected = logits(towers, training)
        assert [each.shape for each in expected] == [(4, n) for n in classes]
        for tower, column in zip(expected, logits(stitched, training), strict=True):
            np.testing.assert_array_equal(tower, column)


def test_units_follow_each_pool_and_the_hidden_layer():
    sizes = {"image_size": 8, "classes": (10, 3, 4)}
    model = make_network("cross-stitch", stitch_init=(0.9, 0.05), **sizes)
    units = [layer for layer in model.trunk.layers if isinstance(layer, CrossStitch)]
    assert [unit.name for unit in units] == ["pool_1", "pool_2", "hidden"]
    assert [unit.mixing.shape for unit in units] == [(3, 3, 32), (3, 3, 64), (3, 3, 1024)]
    expected = np.full((3, 3), 0.05, np.float32)
    np.fill_diagonal(expected, 0.9)
    for unit in units:
        np.testing.assert_array_equal(unit.mixing.numpy()[..., 5], expected)
    plain = logits(make_network("cross-stitch", **sizes), training=False)
    assert (logits(model, training=False)[0] != plain[0]).any()


def test_a_unit_mixes_each_channel_by_its_own_weights():
    """Checks also the gradient of the outputs' sum of squares."""
    draw = np.random.default_rng(0)
    values = draw.normal(size=(2, 3, 4, 5)).astype(np.float32)  # [T, B, W, C]
    mixing = draw.normal(size=(2, 2, 5)).astype(np.float32)  # [to, from, C]
    unit, columns = CrossStitch(1.0, 0.0), [tf.constant(column) for column in values]
    unit(columns)
    unit.mixing.assign(mixing)
    with tf.GradientTape() as tape:
        tape.watch(columns)
        outputs = tf.stack(unit(columns))
        total = tf.reduce_sum(outputs**2)
    of_mixing, of_columns = tape.gradient(total, [unit.mixing.value, columns])
    expected = np.einsum("ijc,jbwc->ibwc", mixing, values)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    of_mixing_expected = 2 * np.einsum("ibwc,jbwc->ijc", expected, values)
    np.testing.assert_allclose(of_mixing, of_mixing_expected, rtol=1e-4, atol=1e-5)
    of_columns_expected = 2 * np.einsum("ijc,ibwc->jbwc", mixing, expected)
    np.testing.assert_allclose(tf.stack(of_columns), of_columns_expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "features"), [("mobilenetv2", 1280), ("resnet50", 2048)])
def test_backbones(name, features):
    model = make_network(name, heads="multi", image_size=32, classes=(10, 3))
    assert [kernels(head) for head in model.heads] == [[(features, 10)], [(features, 3)]]
    assert [each.shape for each in logits(model, training=True)] == [(4, 10), (4, 3)]


def test_a_frozen_backbone_is_not_trained():
    model = make_network("mobilenetv2", freeze_backbone=True, image_size=32)
    assert model.trunk.trainable_variables == []
    assert len(model.trainable_variables) == 2
    before = weights_of(model)
    logits(model, training=True)  # which would move the statistics of its normalization
    np.testing.assert_equal(before, weights_of(model))
    head = model.heads[0].layers[-1].kernel.numpy()
    assert float(squared_weights(model.parts([0]))) == pytest.approx((head**2).sum(), rel=1e-5)


def test_weights_are_loaded_from_a_file(tmp_path):
    made = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    scaled = keras.applications.mobilenet_v2.preprocess_input(255 * IMAGES)
    expected = made(scaled, training=False).numpy()
    for save, name in ((made.save_weights, "mobilenet.weights.h5"), (made.save, "mobilenet.h5")):
        save(tmp_path / name)
        model = make_network("mobilenetv2", weights=str(tmp_path / name), image_size=32)
        np.testing.assert_equal(made.get_weights(), model.trunk.get_weights())
        tolerance = 1e-4 * abs(expected).max()
        np.testing.assert_allclose(model.trunk(IMAGES, training=False), expected, atol=tolerance)
    made.weights[0].assign(made.weights[0] * np.nan)
    made.save(tmp_path / "mobilenet.h5")
    with pytest.raises(RequestError, match=r"cannot be loaded \(they are not finite\)"):
        make_network("mobilenetv2", weights=str(tmp_path / "mobilenet.h5"), image_size=32)


def test_weights_that_cannot_be_downloaded(data_dir, tmp_path):
    nowhere = "http://127.0.0.1:9"  # the discard port, on which nothing listens
    result = run_command(
        *("--data-dir", data_dir, "--tasks", "id", "--image-size", "32", "--quiet"),
        *("--network", "mobilenetv2", "--weights", "imagenet", "--log-dir", tmp_path / "log"),
        HOME=str(tmp_path),
        KERAS_HOME=str(tmp_path / "keras"),
        https_proxy=nowhere,
        HTTPS_PROXY=nowhere,
    )
    assert result.returncode == 2
    line = one_line(result)
    assert "--weights imagenet: cannot be loaded" in line
    assert "--weights FILE" in line


def test_weights_that_do_not_fit_are_refused(tmp_path):
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(RequestError, match="expected weights of mobilenetv2 without its top"):
        make_network("mobilenetv2", weights=str(tmp_path / "text.h5"), image_size=32)
