"""Layers that several networks are made of."""

import argparse
from collections.abc import Sequence

import keras
import tensorflow as tf

from randomness import Stream, stream_key


class LocalResponseNorm(keras.layers.Layer):
    """Local response normalisation over channels (Krizhevsky et al. 2012, section 3.3).

    The constants are those of TensorFlow's CIFAR-10 tutorial, which divides alpha by the nine
    channels of the window.
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """[B, H, W, C] float32 to the same."""
        return tf.nn.local_response_normalization(
            images, depth_radius=4, bias=1.0, alpha=0.001 / 9.0, beta=0.75
        )


def he_normal(seed: int, place: int) -> keras.initializers.Initializer:
    """Initial weights for a layer before ReLU (He et al. 2015, arXiv 1502.01852)."""
    return keras.initializers.HeNormal(seed=stream_key(seed, Stream.WEIGHTS, place))


def normalised(layer: keras.layers.Layer, momentum: float) -> list[keras.layers.Layer]:
    """A convolution or dense layer with batch normalisation and ReLU after it.

    The layer needs no bias: the normalisation would take it out, and has one of its own. Of the
    mean and variance that tests use, a step keeps the share `momentum`.
    """
    return [layer, keras.layers.BatchNormalization(momentum=momentum), keras.layers.ReLU()]


def convolution(
    filters: int, strides: int, weights: keras.initializers.Initializer
) -> keras.layers.Layer:
    """3×3 convolution, to be normalised."""
    return keras.layers.Conv2D(
        filters, 3, strides, "same", use_bias=False, kernel_initializer=weights
    )


def dense(units: int, weights: keras.initializers.Initializer) -> keras.layers.Layer:
    """A dense layer, to be normalised."""
    return keras.layers.Dense(units, use_bias=False, kernel_initializer=weights)


def output(settings: argparse.Namespace, classes: int, place: int) -> keras.layers.Layer:
    """The logits; `place` tells its weights from other layers'."""
    return keras.layers.Dense(classes, kernel_initializer=he_normal(settings.seed, place))


def dropout(settings: argparse.Namespace, place: int) -> list[keras.layers.Layer]:
    """Dropout, if any is wanted; `place` tells what it draws from what other layers do."""
    if settings.dropout == 1:
        return []
    seed = stream_key(settings.seed, Stream.DROPOUT, place)
    return [keras.layers.Dropout(1 - settings.dropout, seed=seed)]


def stack(input_shape: Sequence[int], *layers: keras.layers.Layer) -> keras.Sequential:
    """The layers, one after another, on inputs of that shape (without the batch)."""
    return keras.Sequential([keras.Input(input_shape), *layers])
