"""The encoder, the columns with and without cross-stitch units, and the backbones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from errors import RequestError
from model import Network, build_network, set_dropout_step, squared_weights
from networks.columns import CrossStitch
from settings import parse_flags
from tests.support.command import one_line, run_command

IMAGES = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)


def network(name: str, *flags: str, classes: tuple[int, ...] = (10, 10)) -> Network:
    tasks = ["id", "ref", "inv"][: len(classes)]
    settings = parse_flags(["--tasks", *tasks, "--network", name, "--image-size", "32", *flags])
    return build_network(settings, classes)


def logits(model: Network, training: bool) -> list[np.ndarray]:
    tasks = range(len(model.heads))
    set_dropout_step(model.parts(tasks), tf.constant(3, tf.int64))
    return [each.numpy() for each in model.logits(tf.constant(IMAGES), tasks, training)]


def kernels(part: keras.Model) -> list[tuple[int, ...]]:
    return [layer.kernel.shape for layer in part.layers if hasattr(layer, "kernel")]


def names(part: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in part.layers]


def test_encoder():
    model = network("encoder", classes=(10, 2))
    assert kernels(model.trunk) == [
        (3, 3, 3, 32),
        (3, 3, 32, 64),
        (3, 3, 64, 64),
        (3, 3, 64, 128),
        (3, 3, 128, 128),
    ]
    convolutions = [layer for layer in model.trunk.layers if hasattr(layer, "kernel")]
    assert [layer.strides for layer in convolutions] == [(1, 1), (2, 2), (1, 1), (2, 2), (1, 1)]
    parts = (model.trunk, *model.heads)
    momenta = {
        layer.momentum for part in parts for layer in part.layers if hasattr(layer, "momentum")
    }
    # So that the statistics of a decoder that is trained in few of the steps are its own.
    assert momenta == {0.9}
    assert names(model.trunk) == [*["Conv2D", "BatchNormalization", "ReLU"] * 5, "Flatten"]
    for head, classes in zip(model.heads, (10, 2), strict=True):
        assert kernels(head) == [(8 * 8 * 128, 512), (512, classes)]
        assert names(head) == ["Dense", "BatchNormalization", "ReLU", "Dense"]
    first, second = (head.layers[0].kernel.numpy() for head in model.heads)
    assert (first != second).any()


def test_a_head_may_be_shared_or_be_each_tasks_own():
    assert len(network("encoder", "--heads", "shared").heads) == 1
    multi = network("conv", "--network", "conv", "fc", "--heads", "multi")
    assert [kernels(head) for head in multi.heads] == [[(16 * 16 * 64, 10)]] * 2
    assert multi.head(0) is not multi.head(1)


def test_images_are_laid_into_the_channels_of_the_input_style():
    model = network("encoder", "--input-style", "channelplex")
    assert model.trunk.input_shape == (None, 32, 32, 4)
    grey, colour = IMAGES[..., :1], IMAGES
    nothing = np.zeros_like(grey)
    for images, laid in (
        (grey, np.concatenate([grey, nothing, nothing, nothing], axis=-1)),
        (colour, np.concatenate([nothing, colour], axis=-1)),
    ):
        shown = model.logits(tf.constant(images), [1], training=False)[0]
        expected = model.heads[1](model.trunk(laid, training=False), training=False)
        np.testing.assert_allclose(shown, expected, rtol=1e-5)


def test_a_column():
    (column,) = network("towers", classes=(7,)).heads
    assert kernels(column) == [(3, 3, 3, 32), (3, 3, 32, 64), (8 * 8 * 64, 1024), (1024, 7)]
    block = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    hidden = ["Flatten", "Dense", "BatchNormalization", "ReLU"]
    assert names(column) == [*block, *block, *hidden, "Dropout", "Dense"]
    # He's initial weights have a variance of 2 over the number of inputs.
    kernel = column.layers[9].kernel.numpy()
    assert kernel.shape == (8 * 8 * 64, 1024)
    assert kernel.std() == pytest.approx((2 / kernel.shape[0]) ** 0.5, rel=0.01)


def test_columns_begin_with_weights_of_their_own():
    first, second = network("towers").heads
    for one, other in zip(first.layers, second.layers, strict=True):
        if hasattr(one, "kernel"):
            assert (one.kernel.numpy() != other.kernel.numpy()).all()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("classes", [(10, 3), (10, 3, 4)])
def test_identity_units_leave_the_towers_as_they_are_to_the_last_bit(training, classes):
    towers, stitched = (
        logits(network(name, "--dropout", "0.5", classes=classes), training)
        for name in ("towers", "cross-stitch")
    )
    assert [each.shape for each in towers] == [(4, n) for n in classes]
    for tower, column in zip(towers, stitched, strict=True):
        np.testing.assert_array_equal(tower, column)


def test_units_stand_after_each_pool_and_the_hidden_layer():
    model = network("cross-stitch", "--stitch-init", "0.9", "0.05", classes=(10, 3, 4))
    units = [layer for layer in model.trunk.layers if isinstance(layer, CrossStitch)]
    assert [unit.name for unit in units] == ["pool_1", "pool_2", "hidden"]
    assert [unit.mixing.shape for unit in units] == [(3, 3, 32), (3, 3, 64), (3, 3, 1024)]
    expected = np.full((3, 3), 0.05, np.float32)
    np.fill_diagonal(expected, 0.9)
    for unit in units:
        np.testing.assert_array_equal(unit.mixing.numpy()[..., 5], expected)
    plain = logits(network("cross-stitch", classes=(10, 3, 4)), training=False)
    assert (logits(model, training=False)[0] != plain[0]).any()


def test_a_unit_mixes_by_hand():
    unit = CrossStitch(1.0, 0.0)
    columns = [tf.constant([[1.0, 2.0]]), tf.constant([[10.0, 20.0]])]
    unit(columns)
    mixing = np.zeros((2, 2, 2), np.float32)
    mixing[0, 0], mixing[0, 1] = (2, 3), (0.5, 0.25)  # column 0, a number for each channel
    mixing[1, 0], mixing[1, 1] = (1, 0), (0, 1)
    unit.mixing.assign(mixing)
    first, second = unit(columns)
    np.testing.assert_allclose(first, [[2 * 1 + 0.5 * 10, 3 * 2 + 0.25 * 20]])
    np.testing.assert_allclose(second, [[1 * 1, 1 * 20]])


def test_the_gradient_of_a_unit_by_hand():
    """Of the sum of squares of what it gives out, with respect to its weights and its inputs."""
    unit = CrossStitch(0.5, 0.25)
    columns = [
        tf.constant([[[1.0, -2.0]], [[3.0, 4.0]]]),
        tf.constant([[[5.0, 6.0]], [[7.0, 8.0]]]),
    ]
    unit(columns)
    with tf.GradientTape() as tape:
        tape.watch(columns)
        mixed = unit(columns)
        total = tf.add_n([tf.reduce_sum(each**2) for each in mixed])
    of_mixing, of_columns = tape.gradient(total, [unit.mixing.value, columns])
    values = np.stack([column.numpy() for column in columns])  # [T, B, 1, C]
    mixing = np.full((2, 2), 0.25) + 0.25 * np.eye(2)
    outputs = np.einsum("ij,jbwc->ibwc", mixing, values)
    np.testing.assert_allclose(
        of_mixing, 2 * np.einsum("ibwc,jbwc->ijc", outputs, values), rtol=1e-6
    )
    np.testing.assert_allclose(
        np.stack(of_columns), 2 * np.einsum("ij,ibwc->jbwc", mixing, outputs), rtol=1e-6
    )
    # One entry in full: column 0 in channel 0 gives 0.5×1 + 0.25×5 and 0.5×3 + 0.25×7.
    assert float(of_mixing[0, 1, 0]) == pytest.approx(2 * (1.75 * 5 + 3.25 * 7))


def test_squared_weights_by_hand():
    model = network("towers", classes=(7,))
    column = model.heads[0]
    expected = sum(
        float((layer.kernel.numpy().astype(float) ** 2).sum())
        for layer in column.layers
        if hasattr(layer, "kernel")
    )
    assert float(squared_weights([model.trunk, column])) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("name", "features"), [("mobilenetv2", 1280), ("resnet50", 2048)])
def test_backbones(name, features):
    model = network(name, "--heads", "multi", classes=(10, 3))
    assert [kernels(head) for head in model.heads] == [[(features, 10)], [(features, 3)]]
    assert [each.shape for each in logits(model, training=True)] == [(4, 10), (4, 3)]
    again, other = (network(name, "--seed", seed, classes=(10,)) for seed in "01")
    kernel, same, different = (
        each.trunk.trainable_variables[0].numpy() for each in (model, again, other)
    )
    np.testing.assert_array_equal(kernel, same)
    assert (kernel != different).any()


def test_a_frozen_backbone_stays_as_it_is():
    model = network("mobilenetv2", "--freeze-backbone", classes=(10,))
    assert model.trunk.trainable_variables == []
    assert len(model.trainable_variables) == 2
    before = [weights.numpy() for weights in model.trunk.weights]
    logits(model, training=True)  # which would move the statistics of its normalisation
    for one, other in zip(before, model.trunk.weights, strict=True):
        np.testing.assert_array_equal(one, other.numpy())
    heads_alone = model.heads[0].layers[-1].kernel
    assert float(squared_weights(model.parts([0]))) == pytest.approx(
        float(tf.reduce_sum(heads_alone**2)), rel=1e-5
    )


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_weights_are_taken_from_a_file(tmp_path, suffix):
    made = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    path = tmp_path / f"mobilenet{suffix}"
    made.save_weights(path) if suffix == ".weights.h5" else made.save(path)
    model = network("mobilenetv2", "--weights", str(path), classes=(10,))
    for one, other in zip(made.weights, model.trunk.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    scaled = keras.applications.mobilenet_v2.preprocess_input(255 * IMAGES)
    expected = made(scaled, training=False).numpy()
    tolerance = 1e-4 * abs(expected).max()
    np.testing.assert_allclose(model.trunk(IMAGES, training=False), expected, atol=tolerance)


def test_weights_that_cannot_be_downloaded(every_data_dir, tmp_path):
    nowhere = "http://127.0.0.1:9"  # the port that discards; nothing listens
    result = run_command(
        *("--data-dir", every_data_dir, "--tasks", "cifar10", "--image-size", "32", "--quiet"),
        *("--network", "mobilenetv2", "--weights", "imagenet", "--log-dir", tmp_path / "log"),
        HOME=str(tmp_path),
        KERAS_HOME=str(tmp_path / "keras"),
        https_proxy=nowhere,
        HTTPS_PROXY=nowhere,
    )
    assert result.returncode == 2
    line = one_line(result)
    assert "--weights imagenet: cannot be had" in line
    assert "--weights FILE" in line


def test_weights_that_do_not_fit_are_refused(tmp_path):
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(RequestError, match="expected weights of resnet50 without its top"):
        network("resnet50", "--weights", str(tmp_path / "text.h5"))
