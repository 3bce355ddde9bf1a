"""Layers that several networks share.

The classes here compute what Keras's layers do, only faster. Where --precision is bfloat16 they
stay in float32, except the convolution.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from settings.randomness import Stream, stream_key

# A value is kept if 16 random bits are below a threshold: random enough, and half the work of 32.
DROPOUT_LEVELS = 2**16


class PooledConvolution(keras.layers.Conv2D):
    """5×5 convolution, bias, ReLU, and 3×3 max pooling with stride 2."""

    def __init__(
        self, filters: int, channels: int, first_channel: Callable[[int], int], **options: object
    ) -> None:
        """Takes images of up to `channels` channels.

        Images of n channels use the part of the kernel from `first_channel(n)` on: the other
        channels would be zero.
        """
        super().__init__(filters, 5, padding="same", **options)
        self.channels, self.first_channel = channels, first_channel

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the kernel, [5, 5, channels, filters], and the bias, [filters]."""
        super().build((*input_shape[:-1], self.channels))
        self.input_spec = None  # Keras's requires all channels

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns [B, H / 2, W / 2, filters], rounded up."""
        batch, height, width, _ = input_shape
        return batch, (height + 1) // 2, (width + 1) // 2, self.filters

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps [B, H, W, C] to [B, H / 2, W / 2, filters], rounded up, float32."""
        first, count = self.first_channel(images.shape[-1]), images.shape[-1]
        values = tf.nn.conv2d(images, self.kernel[:, :, first : first + count], 1, "SAME")
        bias = tf.cast(self.bias, tf.float32)
        if training or values.dtype != tf.float32:
            # Bias and ReLU are monotone, so that pooling may come first. It leaves a quarter of
            # the values, and of the gradients in the backward pass.
            return tf.nn.relu(tf.nn.bias_add(tf.cast(pool(values), tf.float32), bias))
        # Without gradients TensorFlow fuses the first three operations.
        return pool(tf.nn.relu(tf.nn.bias_add(values, bias)))


def pool(values: tf.Tensor) -> tf.Tensor:
    """Applies 3×3 max pooling with stride 2."""
    return tf.nn.max_pool2d(values, 3, 2, "SAME")


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalization, as one fused operation in place of a dozen."""

    def __init__(self, **options: object) -> None:
        super().__init__(dtype="float32", **options)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps [B, C] or [B, H, W, C] float32 to the same shape."""
        images = inputs if len(inputs.shape) == 4 else inputs[:, tf.newaxis, tf.newaxis]
        statistics = (
            {} if training else {"mean": self.moving_mean, "variance": self.moving_variance}
        )
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            images, self.gamma, self.beta, epsilon=self.epsilon, is_training=training, **statistics
        )
        if training:
            # In 64 bits: a large batch of large images overflows 32.
            size, shape = tf.size(images, tf.int64), tf.shape(images, tf.int64)
            count = tf.cast(size / shape[-1], tf.float32)
            # TensorFlow divides the sum of squares by the count less one, and Keras by the count.
            self.move(self.moving_mean, mean)
            self.move(self.moving_variance, variance * (count - 1) / count)
        return tf.reshape(outputs, tf.shape(inputs))

    def move(self, statistic: keras.Variable, batch: tf.Tensor) -> None:
        """Moves a moving statistic, used in evaluation, towards the batch's."""
        statistic.assign(self.momentum * statistic + (1 - self.momentum) * batch)


class Dropout(keras.layers.Dropout):
    """Keras's dropout, with a mask that follows from its seed state alone, and fewer random bits.

    The keep probability is rounded to a multiple of 1/65,536, and is at least that.
    """

    def __init__(self, keep: float, seed: int) -> None:
        super().__init__(1 - keep, seed=seed, dtype="float32")
        self.threshold = max(1, round(keep * DROPOUT_LEVELS))

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps [B, …] float32 to the same shape."""
        if not training:
            return inputs
        size = tf.size(inputs, tf.int64)
        pairs = tf.random.stateless_uniform(
            [(size + 1) // 2],
            seed=self.seed_generator.state.value,
            minval=None,
            maxval=None,
            dtype=tf.uint32,
        )
        bits = tf.reshape(tf.bitcast(pairs, tf.uint16), [-1])[:size]
        scale = DROPOUT_LEVELS / self.threshold
        mask = tf.where(bits <= self.threshold - 1, scale, 0.0)
        return inputs * tf.reshape(mask, tf.shape(inputs))


class LocalResponseNorm(keras.layers.Layer):
    """Local response normalization over channels (Krizhevsky et al. 2012, section 3.3).

    The constants are those of TensorFlow's CIFAR-10 tutorial, which divides alpha by the nine
    channels of the window.
    """

    RADIUS, BIAS, ALPHA = 4, 1.0, 0.001 / 9.0

    def __init__(self) -> None:
        super().__init__(dtype="float32")

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Divides each value of [B, H, W, C] float32 by the 0.75th power of its window's sum."""
        channels = images.shape[-1]
        # A 1×1 convolution sums over windows: a quarter of the time of TensorFlow's own
        # operation.
        radius = min(self.RADIUS, channels)
        window = tf.linalg.band_part(tf.ones([channels, channels]), radius, radius)
        sums = tf.nn.conv2d(tf.square(images), window[tf.newaxis, tf.newaxis], 1, "SAME")
        root = tf.math.rsqrt(self.BIAS + self.ALPHA * sums)
        return images * root * tf.sqrt(root)


def he_normal(seed: int, place: int) -> keras.initializers.Initializer:
    """Returns initial weights of a layer before ReLU (He et al. 2015, arXiv 1502.01852)."""
    return keras.initializers.HeNormal(seed=stream_key(seed, Stream.WEIGHTS, place))


def normalized(layer: keras.layers.Layer, momentum: float) -> list[keras.layers.Layer]:
    """Appends batch normalization and ReLU to a convolution or dense layer.

    The layer needs no bias: the normalization would cancel it, and has its own. A step keeps the
    share `momentum` of the moving mean and variance.
    """
    return [layer, BatchNormalization(momentum=momentum), keras.layers.ReLU()]


def convolution(
    filters: int, strides: int, weights: keras.initializers.Initializer
) -> keras.layers.Layer:
    """Returns a 3×3 convolution without bias, for `normalized`."""
    return keras.layers.Conv2D(
        filters, 3, strides, "same", use_bias=False, kernel_initializer=weights
    )


def dense(units: int, weights: keras.initializers.Initializer) -> keras.layers.Layer:
    """Returns a dense layer without bias, for `normalized`."""
    return keras.layers.Dense(units, use_bias=False, kernel_initializer=weights)


def output(classes: int, seed: int, place: int) -> keras.layers.Layer:
    """Returns the layer of the logits; `place` gives it random weights of its own."""
    return keras.layers.Dense(classes, kernel_initializer=he_normal(seed, place))


def dropout(keep: float, seed: int, place: int) -> list[keras.layers.Layer]:
    """Returns dropout, or nothing where all is kept; `place` gives it random masks of its own."""
    return [] if keep == 1 else [Dropout(keep, seed=stream_key(seed, Stream.DROPOUT, place))]


def stack(input_shape: Sequence[int | None], *layers: keras.layers.Layer) -> keras.Sequential:
    """Returns the layers as a model of inputs of that shape (without the batch)."""
    return keras.Sequential([keras.Input(input_shape), *layers])
