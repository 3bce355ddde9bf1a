"""The compiled evaluation of tasks on their test sets."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from model import Network
from runs.history import Tally
from training.chunks import ChunkSize
from training.feed import TaskData
from training.step import count_correct, cross_entropy


class EvaluationLoop:
    """Evaluates the network on tasks that see the same images, in one pass."""

    def __init__(self, group: list[TaskData], network: Network) -> None:
        """Takes one of the groups that `by_feed` returns."""
        self.group, self.feed, self.network = group, group[0].feed, network
        self.chunk = ChunkSize()  # in batches
        self.predictions = np.zeros((0, len(group)), np.int32)  # of the last evaluation

    def evaluate(self, stopped: Callable[[], bool] = lambda: False) -> dict[int, Tally] | None:
        """Evaluates every test image once.

        Returns:
            Each task's tally, by its index; None if `stopped` returned True in between.
        """
        tasks, count, size = len(self.group), self.feed.test.count, self.feed.test_batch
        start, sums = 0, (np.zeros(tasks, np.float64), np.zeros(tasks, np.int64))
        predictions = []
        while start < count:
            if stopped():
                return None
            end = min(start + self.chunk.amount * size, count)
            with self.chunk.measured():
                added = self._evaluate(*np.array([start, end], np.int32), *sums)
                *sums, predicted = (tensor.numpy() for tensor in added)
            predictions.append(predicted)
            start = end
        self.predictions = np.concatenate(predictions)
        return {
            data.index: Tally(count, int(correct), float(loss_sum))
            for data, loss_sum, correct in zip(self.group, *sums, strict=True)
        }

    def confusions(self) -> dict[int, np.ndarray]:
        """Counts the predictions of the last evaluation for the images of each class.

        Returns:
            A matrix for each task, by its index: [classes, classes] int64, a row for each true
            class, a column for each prediction.
        """
        found = {}
        for data, predicted in zip(self.group, self.predictions.T, strict=True):
            found[data.index] = np.zeros([len(data.classes)] * 2, np.int64)
            np.add.at(found[data.index], (data.test_labels.numpy(), predicted), 1)
        return found

    @tf.function(
        input_signature=[
            *[tf.TensorSpec((), tf.int32)] * 2,
            *(tf.TensorSpec([None], dtype) for dtype in (tf.float64, tf.int64)),
        ],
        autograph=False,
    )
    def _evaluate(
        self, start: tf.Tensor, end: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor
    ) -> tuple:
        """Adds the images from `start` up to `end` to the sums over those before them.

        These are the sums of the images' losses, [tasks] float64, and of the correct, [tasks]
        int64. After them it returns the predictions, [images, tasks] int32.
        """
        indices = [data.index for data in self.group]
        size = self.feed.test_batch

        def one_batch(
            start: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor, predictions: tf.TensorArray
        ) -> tuple:
            outputs = self.network.logits(
                self.feed.evaluation_batch(start), indices, training=False
            )
            labels = [data.test_labels[start : start + size] for data in self.group]
            pairs = list(zip(labels, outputs, strict=True))
            sums = [tf.reduce_sum(tf.cast(cross_entropy(*pair), tf.float64)) for pair in pairs]
            right = [count_correct(*pair) for pair in pairs]
            predicted = [tf.argmax(logits, axis=1, output_type=tf.int32) for logits in outputs]
            predictions = predictions.write(predictions.size(), tf.stack(predicted, axis=1))
            return (
                *(start + size, loss_sums + tf.stack(sums), correct + tf.stack(right)),
                predictions,
            )

        tasks = len(self.group)
        shaped = [tf.ensure_shape(sums, [tasks]) for sums in (loss_sums, correct)]
        predictions = tf.TensorArray(
            tf.int32, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, tasks]
        )
        start_values = (start, *shaped, predictions)
        *_, predictions = sums = tf.while_loop(
            lambda start, *_: start < end, one_batch, start_values
        )
        return *sums[1:-1], predictions.concat()
