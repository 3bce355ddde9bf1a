"""The network and its optimiser, built from the flags out of Keras's parts."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from networks import backbones, columns, conv_fc, encoder
from networks.channels import CHANNELS, lay_channels

BUILDERS = {
    "conv": conv_fc.build,
    "fc": conv_fc.build,
    "encoder": encoder.build,
    "towers": columns.build_towers,
    "cross-stitch": columns.build_cross_stitch,
    "mobilenetv2": backbones.build,
    "resnet50": backbones.build,
}


# How Keras's layers compute, by --precision; weights are float32 in either.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


@dataclass(frozen=True)
class Network:
    """A trunk, from images to features, and heads, from features to logits.

    What tasks share is in the trunk. There is one head for all tasks, or one for each.
    """

    trunk: keras.Model  # [B, H, W, C] float32 to features [B, …], or a list of them
    heads: list[keras.Model]  # each from the trunk's features to logits [B, classes]
    input_style: str

    def head(self, task: int) -> keras.Model:
        """The head of the task with that index."""
        return self.heads[task] if len(self.heads) > 1 else self.heads[0]

    def parts(self, tasks: Iterable[int]) -> list[keras.Model]:
        """The trunk and the heads of those tasks, each once."""
        return list({id(part): part for part in (self.trunk, *map(self.head, tasks))}.values())

    def logits(self, images: tf.Tensor, tasks: Iterable[int], training: bool) -> list[tf.Tensor]:
        """What the network says of images [B, H, W, 1 or 3] float32.

        Returns:
            [B, classes] float32 for each task.
        """
        if self.trunk.input_shape[-1] is not None:  # otherwise it takes them as they are
            images = lay_channels(images, self.input_style)
        features = self.trunk(images, training=training)
        outputs = [self.head(task)(features, training=training) for task in tasks]
        return [tf.cast(logits, tf.float32) for logits in outputs]

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """All that is trained."""
        return [v for part in (self.trunk, *self.heads) for v in part.trainable_variables]

    def count_params(self) -> int:
        """How many numbers the network consists of, trained or not."""
        return sum(part.count_params() for part in (self.trunk, *self.heads))


def build_network(settings: argparse.Namespace, classes: Sequence[int]) -> Network:
    """The network that the flags name.

    Args:
        settings: of which the flags of the groups "input" and "network", precision and seed are
            read.
        classes: how many classes each task has; with a shared head they are all alike.

    Raises:
        RequestError: the pre-trained weights cannot be had.
    """
    keras.config.set_dtype_policy(POLICIES[settings.precision])
    shape = (settings.image_size, settings.image_size, CHANNELS[settings.input_style])
    outputs = classes if settings.heads == "multi" else classes[:1]
    trunk, heads = BUILDERS[settings.network[0]](settings, shape, outputs)
    return Network(trunk, heads, settings.input_style)


def layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model, and of the models in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def squared_weights(parts: Iterable[keras.Model]) -> tf.Tensor:
    """The sum of the squared weights of the parts' convolutions and dense layers, biases not."""
    kernels = [
        layer.kernel
        for part in parts
        for layer in layers_of(part)
        if hasattr(layer, "kernel") and layer.trainable
    ]
    return tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in kernels])


def set_dropout_step(parts: Iterable[keras.Model], step: tf.Tensor) -> None:
    """Makes what the dropout layers draw next a function of their seeds and the step alone.

    Keras counts their draws instead, which would make a mask depend on how a run came to its step.
    """
    for part in parts:
        for layer in layers_of(part):
            if isinstance(layer, keras.layers.Dropout):
                seed = tf.constant(layer.seed, step.dtype)
                layer.seed_generator.state.assign(tf.stack([seed, step]))


def build_optimizer(settings: argparse.Namespace) -> keras.optimizers.Optimizer:
    """Plain gradient descent, or Adam with Keras's defaults.

    Keras's Adam corrects for its first steps by the steps of the whole run: those of a head whose
    task is first trained late in the run are up to three times as long.
    """
    optimizers = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    return optimizers[settings.optimizer](learning_rate=settings.learning_rate)
