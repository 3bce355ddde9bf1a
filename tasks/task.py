"""What a task is, and how its images become the network's input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the list of tasks must answer without the seconds that TensorFlow takes
    import tensorflow as tf

# The channels of each input style.
CHANNELS = {"combined": 3, "channelplex": 4}
# The channels of a colour image.
COLOUR = 3


@dataclass(frozen=True)
class Seeds:
    """What a task's change may draw from; each is a pair for TensorFlow's stateless generators."""

    run: tf.Tensor  # [2] int64, the same throughout the run
    batch: tf.Tensor  # [2] int64, another one for every batch; a test's batches have theirs


# Changes a batch: images [B, H, W, C] float32 in [0, 1] -> the same shape, dtype and range.
Change = Callable[["tf.Tensor", Seeds], "tf.Tensor"]


def unchanged(images: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """The images as they are."""
    return images


@dataclass(frozen=True)
class Task:
    """A dataset, a change to its images, and its number of classes."""

    name: str
    dataset: str  # which of data/'s datasets: "mnist" or "dogs"
    description: str
    change: Change = unchanged
    classes: int = 10

    def network_input(self, images: tf.Tensor, seeds: Seeds, input_style: str) -> tf.Tensor:
        """A batch as the network sees it.

        Args:
            images: [B, H, W, C] uint8, grey (C = 1) or colour (C = 3).
            input_style: a key of CHANNELS.

        Returns:
            [B, H, W, CHANNELS[input_style]] float32 in [0, 1].
        """
        import tensorflow as tf

        return lay_channels(self.change(tf.cast(images, tf.float32) / 255, seeds), input_style)


def lay_channels(images: tf.Tensor, input_style: str) -> tf.Tensor:
    """Lays grey or colour images [B, H, W, 1 or 3] into the channels of an input style.

    `combined` puts a grey image into the first of three channels and a colour image into all
    three. `channelplex` keeps one channel for the grey image and three for the colour image, so
    that the network is told which of them it sees. What is not filled is zero.
    """
    import tensorflow as tf

    colour = images.shape[-1] == COLOUR
    before = 1 if colour and input_style == "channelplex" else 0
    after = CHANNELS[input_style] - before - images.shape[-1]
    return tf.pad(images, [[0, 0], [0, 0], [0, 0], [before, after]])
