"""The textbook network, trained and evaluated by Keras's own loops on arrays in memory."""

import keras
import numpy as np
import tensorflow as tf

from data.dataset import Dataset
from networks.channels import input_shape, lay_channels
from settings import Settings

EVALUATION_BATCH = 500  # with which Keras is faster than with 100


class Reference:
    """The layers of `--network conv fc --norm batch` in Keras, in the textbook order."""

    def __init__(self, settings: Settings, dataset: Dataset, examples: int) -> None:
        """Takes that many training examples, from the start again where there are fewer."""
        indices = np.arange(examples) % len(dataset.train.labels)
        self.settings, self.batch = settings, settings.training.batch
        self.train = self.images(dataset.train.images[indices]), dataset.train.labels[indices]
        self.test = self.images(dataset.test.images), dataset.test.labels
        (filters,) = settings.network.filters
        keras.config.set_dtype_policy("float32")
        layers = keras.layers
        self.model = keras.Sequential(
            [
                keras.Input(input_shape(settings.input)),
                layers.Conv2D(filters, 5, padding="same", activation="relu"),
                layers.MaxPooling2D(3, 2, padding="same"),
                layers.BatchNormalization(),
                layers.Dropout(1 - settings.network.dropout),
                layers.Flatten(),
                layers.Dense(10),
            ]
        )
        self.model.compile(
            optimizer=keras.optimizers.SGD(settings.training.learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )

    def images(self, images: np.ndarray) -> np.ndarray:
        """Converts [N, S, S, 1] uint8 to the network's input, [N, S, S, C] float32 in [0, 1]."""
        scaled = tf.cast(images, tf.float32) / 255
        return lay_channels(scaled, self.settings.input.input_style).numpy()

    def fit(self, steps: int) -> None:
        """Trains that many steps."""
        images, labels = (array[: steps * self.batch] for array in self.train)
        self.model.fit(images, labels, batch_size=self.batch, verbose=0)

    def evaluate(self) -> None:
        """Evaluates the whole test set."""
        self.model.evaluate(*self.test, batch_size=EVALUATION_BATCH, verbose=0)
