"""The network (trunk and heads) and its optimizer, built from the settings."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from networks import backbones, columns, conv_fc, encoder
from networks.channels import lay_channels
from settings import InputSettings, NetworkSettings, TrainingSettings

BUILDERS = {
    "conv": conv_fc.build,
    "fc": conv_fc.build,
    "encoder": encoder.build,
    "towers": columns.build_towers,
    "cross-stitch": columns.build_cross_stitch,
    "mobilenetv2": backbones.build,
    "resnet50": backbones.build,
}

# Keras's policy for each --precision; weights are float32 in either.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


@dataclass(frozen=True)
class Network:
    """A trunk, from images to features, and heads, from features to logits.

    The tasks share the trunk, and have one head for all of them or one each.
    """

    trunk: keras.Model  # [B, H, W, C] float32 to features [B, …], or a list of them
    heads: list[keras.Model]  # each from the trunk's features to logits [B, classes]
    input_style: str

    def head(self, task: int) -> keras.Model:
        """Returns the head of the task with that index."""
        return self.heads[task] if len(self.heads) > 1 else self.heads[0]

    def parts(self, tasks: Iterable[int]) -> list[keras.Model]:
        """Returns the trunk and the heads of those tasks, each once."""
        return list({id(part): part for part in (self.trunk, *map(self.head, tasks))}.values())

    def logits(self, images: tf.Tensor, tasks: Iterable[int], training: bool) -> list[tf.Tensor]:
        """Applies the network to images [B, H, W, 1 or 3] float32.

        Returns:
            [B, classes] float32 for each task.
        """
        if self.trunk.input_shape[-1] is not None:  # otherwise it takes them as they are
            images = lay_channels(images, self.input_style)
        tasks = list(tasks)
        features = self.trunk(images, training=training)
        copies = [features] * len(tasks)
        if len(tasks) > 2 and isinstance(features, tf.Tensor):
            copies = fan_out(features, len(tasks))
        outputs = [
            self.head(task)(copy, training=training)
            for task, copy in zip(tasks, copies, strict=True)
        ]
        return [tf.cast(logits, tf.float32) for logits in outputs]

    def name_parts(self, tasks: Sequence[str]) -> None:
        """Names the trunk and the heads, as TensorBoard's graph shows them.

        `tasks` are all tasks' names, of which TensorFlow does not take every character.
        """
        self.trunk.name = "trunk"
        names = [f"head_{re.sub('[^A-Za-z0-9_.-]', '_', task)}" for task in tasks]
        for head, name in zip(self.heads, names if len(self.heads) > 1 else ["head"], strict=True):
            head.name = name

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The variables that are trained."""
        return [v for part in (self.trunk, *self.heads) for v in part.trainable_variables]

    def count_params(self) -> int:
        """Counts the network's parameters, trained or not."""
        return sum(part.count_params() for part in (self.trunk, *self.heads))


def fan_out(features: tf.Tensor, count: int) -> list[tf.Tensor]:
    """Returns `count` copies of a tensor, whose gradients are added in their order.

    TensorFlow adds more than two in an order that may follow from when each was computed, and so
    to other last digits in each run.
    """

    @tf.custom_gradient
    def copied(features: tf.Tensor) -> tuple[list[tf.Tensor], Callable]:
        def add(*gradients: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(tf.stack(gradients), axis=0)

        return [tf.identity(features) for _ in range(count)], add

    return copied(features)


def build_network(
    settings: NetworkSettings, images: InputSettings, classes: Sequence[int], seed: int
) -> Network:
    """Builds the network with its initial weights.

    Args:
        classes: the number of classes of each task; with a shared head they are all equal.

    Raises:
        RequestError: the pre-trained weights cannot be loaded.
    """
    keras.config.set_dtype_policy(POLICIES[settings.precision])
    outputs = classes if settings.heads == "multi" else classes[:1]
    trunk, heads = BUILDERS[settings.network[0]](settings, images, outputs, seed)
    return Network(trunk, heads, images.input_style)


def layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields the layers of a model, and of the models in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def squared_weights(parts: Iterable[keras.Model]) -> tf.Tensor:
    """Sums the squared weights, not the biases, of the parts' convolutions and dense layers."""
    kernels = [
        layer.kernel
        for part in parts
        for layer in layers_of(part)
        if hasattr(layer, "kernel") and layer.trainable
    ]
    return tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in kernels])


def set_dropout_step(parts: Iterable[keras.Model], step: tf.Tensor) -> None:
    """Makes the next masks of the dropout layers a function of their seeds and the step alone.

    Keras counts draws instead, so that a mask would depend on the history of the process.
    """
    for part in parts:
        for layer in layers_of(part):
            if isinstance(layer, keras.layers.Dropout):
                seed = tf.constant(layer.seed, step.dtype)
                layer.seed_generator.state.assign(tf.stack([seed, step]))


def build_optimizer(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    """Builds plain gradient descent, or Adam with Keras's defaults.

    Keras's Adam corrects its bias by the steps of the whole run, so that the first steps of a head
    whose task is first trained late in the run are up to three times as long.
    """
    optimizers = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    return optimizers[settings.optimizer](learning_rate=settings.learning_rate)
