"""A column of layers for each task: apart (towers), or mixed at three depths (cross-stitch)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from networks.channels import input_shape
from networks.layers import convolution, dense, dropout, he_normal, normalized, output, stack
from settings import InputSettings, NetworkSettings

FILTERS = (32, 64)
HIDDEN_UNITS = 1024
MOMENTUM = 0.99  # Keras's own
# Layers with weights in a column: two convolutions, the hidden layer and the output.
COLUMN_DEPTH = 4


class CrossStitch(keras.layers.Layer):
    """Mixes the columns' activations, channel by channel (Misra et al. 2016, arXiv 1604.03539).

    Output column i is the sum over columns j of `mixing[i, j, c]` times channel c of column j.
    """

    def __init__(self, own: float, others: float, **options: str) -> None:
        """Initializes the mixing with `own` on its diagonal and `others` off it."""
        super().__init__(dtype="float32", **options)
        self.own, self.others = own, others

    def build(self, shapes: list[tuple[int | None, ...]]) -> None:
        """Creates the weights, [T, T, C] float32 for T columns."""
        columns, channels = len(shapes), shapes[0][-1]
        diagonal = tf.eye(columns)[..., tf.newaxis]
        initial = diagonal * self.own + (1 - diagonal) * self.others
        self.mixing = self.add_weight(
            shape=(columns, columns, channels),
            initializer=lambda shape, dtype: tf.broadcast_to(tf.cast(initial, dtype), shape),
            name="mixing",
        )

    def call(self, columns: list[tf.Tensor]) -> list[tf.Tensor]:
        """Maps T times [B, …, C] float32 to the same shapes."""
        return [
            tf.add_n([self.mixing[i, j] * column for j, column in enumerate(columns)])
            for i in range(len(columns))
        ]


class Pick(keras.layers.Layer):
    """Selects one of several columns."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def call(self, columns: list[tf.Tensor]) -> tf.Tensor:
        """Returns the activations of the column."""
        return columns[self.index]


def build_towers(
    settings: NetworkSettings, images: InputSettings, outputs: Sequence[int], seed: int
) -> tuple[keras.Model, list[keras.Model]]:
    """Builds an empty trunk, since nothing is shared, and a whole column for each of `outputs`."""
    shape = input_shape(images)
    trunk = stack(shape, keras.layers.Identity())
    heads = []
    for index, classes in enumerate(outputs):
        layers = [layer for stage in column_stages(seed, index) for layer in stage]
        heads.append(stack(shape, *layers, *column_end(settings.dropout, seed, index, classes)))
    return trunk, heads


def build_cross_stitch(
    settings: NetworkSettings, images: InputSettings, outputs: Sequence[int], seed: int
) -> tuple[keras.Model, list[keras.Model]]:
    """Builds the trunk, columns with cross-stitch units between stages, and the columns' ends."""
    pixels = keras.Input(input_shape(images))
    columns = [pixels] * len(outputs)
    stages = zip(*(column_stages(seed, i) for i in range(len(outputs))), strict=True)
    for unit, stage in zip(("pool_1", "pool_2", "hidden"), stages, strict=True):
        for layers in zip(*stage, strict=True):
            columns = [layer(column) for layer, column in zip(layers, columns, strict=True)]
        columns = CrossStitch(*settings.stitch_init, name=unit)(columns)
    trunk = keras.Model(pixels, columns)
    heads = []
    for index, classes in enumerate(outputs):
        inputs = [keras.Input(column.shape[1:]) for column in columns]
        end = Pick(index)(inputs)
        for layer in column_end(settings.dropout, seed, index, classes):
            end = layer(end)
        heads.append(keras.Model(inputs, end))
    return trunk, heads


def column_stages(seed: int, index: int) -> list[list[keras.layers.Layer]]:
    """Returns a column's three stages, each of which a cross-stitch unit can follow."""
    weights = [he_normal(seed, COLUMN_DEPTH * index + depth) for depth in range(3)]
    pool = keras.layers.MaxPooling2D
    return [
        *(
            [*normalized(convolution(filters, 1, initial), MOMENTUM), pool(2)]
            for filters, initial in zip(FILTERS, weights, strict=False)
        ),
        [keras.layers.Flatten(), *normalized(dense(HIDDEN_UNITS, weights[-1]), MOMENTUM)],
    ]


def column_end(keep: float, seed: int, index: int, classes: int) -> list[keras.layers.Layer]:
    """Returns the rest of a column: dropout and the output."""
    place = COLUMN_DEPTH * index + COLUMN_DEPTH - 1
    return [*dropout(keep, seed, index), output(classes, seed, place)]
