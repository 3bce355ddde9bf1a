"""Input styles: into which of the network's channels grey and colour images go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the flags must answer without the seconds that TensorFlow takes
    import tensorflow as tf

# The channels of each input style.
CHANNELS = {"combined": 3, "channelplex": 4}
# The channels of a colour image.
COLOUR = 3


def first_channel(image_channels: int, input_style: str) -> int:
    """The first of the network's channels that an image of 1 or 3 channels fills.

    `combined` puts a grey image into the first of three channels and a colour image into all
    three. `channelplex` keeps one channel for the grey image and three for the colour image, so
    that the network is told which of them it sees. What is not filled is zero.
    """
    return 1 if image_channels == COLOUR and input_style == "channelplex" else 0


def lay_channels(images: tf.Tensor, input_style: str) -> tf.Tensor:
    """Images [B, H, W, 1 or 3] in the channels of an input style, zeros in those left over."""
    import tensorflow as tf

    before = first_channel(images.shape[-1], input_style)
    after = CHANNELS[input_style] - before - images.shape[-1]
    return tf.pad(images, [[0, 0], [0, 0], [0, 0], [before, after]])
