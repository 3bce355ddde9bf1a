"""Input styles: the channels of the network's input that gray and color images fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the flags must answer without the seconds that TensorFlow takes
    import tensorflow as tf

    from settings import InputSettings

# The number of channels of each input style.
CHANNELS = {"combined": 3, "channelplex": 4}
# The number of channels of a color image.
COLOR = 3


def input_shape(images: InputSettings) -> tuple[int, int, int]:
    """Returns the shape [H, W, C] of the network's input."""
    return images.image_size, images.image_size, CHANNELS[images.input_style]


def first_channel(image_channels: int, input_style: str) -> int:
    """Returns the first of the input's channels that an image of 1 or 3 channels fills.

    `combined` puts a gray image into the first of three channels and a color image into all three.
    `channelplex` has one channel for the gray image and three for the color image, which tells the
    network which kind it sees. The other channels are zero.
    """
    return 1 if image_channels == COLOR and input_style == "channelplex" else 0


def lay_channels(images: tf.Tensor, input_style: str) -> tf.Tensor:
    """Pads images [B, H, W, 1 or 3] with zeros to the channels of an input style."""
    import tensorflow as tf

    before = first_channel(images.shape[-1], input_style)
    after = CHANNELS[input_style] - before - images.shape[-1]
    return tf.pad(images, [[0, 0], [0, 0], [0, 0], [before, after]])
