"""A column of layers for each task: apart (towers), or mixed at three depths (cross-stitch)."""

import argparse
from collections.abc import Sequence

import keras
import tensorflow as tf

from networks.layers import convolution, dense, dropout, he_normal, normalised, output, stack

FILTERS = (32, 64)
HIDDEN_UNITS = 1024
MOMENTUM = 0.99  # Keras's own
# Layers with weights in a column: two convolutions, the hidden layer and the output.
COLUMN_DEPTH = 4


class CrossStitch(keras.layers.Layer):
    """Mixes the columns' activations, channel by channel (Misra et al. 2016, arXiv 1604.03539).

    The weight `mixing[i, j, c]` says how much of channel `c` of column `j` goes into column `i`.
    """

    def __init__(self, own: float, others: float, **options: str) -> None:
        """The mixing begins with `own` on its diagonal and `others` off it."""
        super().__init__(dtype="float32", **options)
        self.own, self.others = own, others

    def build(self, shapes: list[tuple[int | None, ...]]) -> None:
        """Makes the weights, [T, T, C] float32 for T columns."""
        columns, channels = len(shapes), shapes[0][-1]
        diagonal = tf.eye(columns)[..., tf.newaxis]
        initial = diagonal * self.own + (1 - diagonal) * self.others
        self.mixing = self.add_weight(
            shape=(columns, columns, channels),
            initializer=lambda shape, dtype: tf.broadcast_to(tf.cast(initial, dtype), shape),
            name="mixing",
        )

    def call(self, columns: list[tf.Tensor]) -> list[tf.Tensor]:
        """T times [B, …, C] float32 to the same."""
        return [
            tf.add_n([self.mixing[i, j] * column for j, column in enumerate(columns)])
            for i in range(len(columns))
        ]


class Pick(keras.layers.Layer):
    """One of several columns."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def call(self, columns: list[tf.Tensor]) -> tf.Tensor:
        """The column's activations as they are."""
        return columns[self.index]


def build_towers(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], outputs: Sequence[int]
) -> tuple[keras.Model, list[keras.Model]]:
    """Trunk and heads: nothing is shared, and each head is a whole column."""
    trunk = stack(input_shape, keras.layers.Identity())
    heads = []
    for index, classes in enumerate(outputs):
        layers = [layer for stage in column_stages(settings, index) for layer in stage]
        heads.append(stack(input_shape, *layers, *column_end(settings, index, classes)))
    return trunk, heads


def build_cross_stitch(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], outputs: Sequence[int]
) -> tuple[keras.Model, list[keras.Model]]:
    """Trunk and heads: the columns with a unit after each stage, and their ends."""
    images = keras.Input(input_shape)
    columns = [images] * len(outputs)
    stages = zip(*(column_stages(settings, i) for i in range(len(outputs))), strict=True)
    for unit, stage in zip(("pool_1", "pool_2", "hidden"), stages, strict=True):
        for layers in zip(*stage, strict=True):
            columns = [layer(column) for layer, column in zip(layers, columns, strict=True)]
        columns = CrossStitch(*settings.stitch_init, name=unit)(columns)
    trunk = keras.Model(images, columns)
    heads = []
    for index, classes in enumerate(outputs):
        inputs = [keras.Input(column.shape[1:]) for column in columns]
        end = Pick(index)(inputs)
        for layer in column_end(settings, index, classes):
            end = layer(end)
        heads.append(keras.Model(inputs, end))
    return trunk, heads


def column_stages(settings: argparse.Namespace, index: int) -> list[list[keras.layers.Layer]]:
    """The three stages of a column after which cross-stitch units stand."""
    weights = [he_normal(settings.seed, COLUMN_DEPTH * index + depth) for depth in range(3)]
    pool = keras.layers.MaxPooling2D
    return [
        *(
            [*normalised(convolution(filters, 1, initial), MOMENTUM), pool(2)]
            for filters, initial in zip(FILTERS, weights, strict=False)
        ),
        [keras.layers.Flatten(), *normalised(dense(HIDDEN_UNITS, weights[-1]), MOMENTUM)],
    ]


def column_end(settings: argparse.Namespace, index: int, classes: int) -> list[keras.layers.Layer]:
    """What is left of a column: dropout and the output."""
    place = COLUMN_DEPTH * index + COLUMN_DEPTH - 1
    return [*dropout(settings, index), output(settings, classes, place)]
