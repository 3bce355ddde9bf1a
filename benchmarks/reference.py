"""The same network, trained and tested by Keras's own loops."""

import argparse

import keras
import numpy as np
import tensorflow as tf

from data.dataset import Dataset
from networks.channels import CHANNELS, lay_channels


class Reference:
    """The textbook's network in Keras, on arrays in memory: what the program is compared to."""

    def __init__(self, settings: argparse.Namespace, dataset: Dataset, examples: int) -> None:
        """Takes so many examples of the training set, from the start again where it has fewer."""
        style, train, test = settings.input_style, dataset.train, dataset.test
        places = np.arange(examples) % len(train.labels)
        self.batch = settings.batch
        self.train = network_images(train.images[places], style), train.labels[places]
        self.test = network_images(test.images, style), test.labels
        keras.config.set_dtype_policy("float32")
        keras.utils.set_random_seed(settings.seed)
        self.model = build(settings)

    def fit(self, steps: int) -> None:
        """Trains that many steps."""
        images, labels = (array[: steps * self.batch] for array in self.train)
        self.model.fit(images, labels, batch_size=self.batch, epochs=1, verbose=0)

    def evaluate(self, batch: int) -> None:
        """Tests on the whole test set."""
        self.model.evaluate(*self.test, batch_size=batch, verbose=0)


def network_images(images: np.ndarray, input_style: str) -> np.ndarray:
    """Images [N, S, S, 1] uint8 in the network's channels, [N, S, S, C] float32 in [0, 1]."""
    return lay_channels(tf.cast(images, tf.float32) / 255, input_style).numpy()


def build(settings: argparse.Namespace) -> keras.Model:
    """The layers of `--network conv fc --norm batch`, in the textbook's order, ready to train."""
    layers = keras.layers
    (filters,) = settings.filters
    size = settings.image_size
    model = keras.Sequential(
        [
            keras.Input((size, size, CHANNELS[settings.input_style])),
            layers.Conv2D(filters, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(3, 2, padding="same"),
            layers.BatchNormalization(),
            layers.Dropout(1 - settings.dropout),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(settings.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model
