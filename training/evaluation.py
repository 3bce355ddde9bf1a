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

    def evaluate(self, stopped: Callable[[], bool] = lambda: False) -> dict[int, Tally] | None:
        """Evaluates every test image once.

        Returns:
            Each task's tally, by its index; None if `stopped` returned True in between.
        """
        tasks, count, size = len(self.group), self.feed.test.count, self.feed.test_batch
        start, sums = 0, (np.zeros(tasks, np.float64), np.zeros(tasks, np.int64))
        while start < count:
            if stopped():
                return None
            end = min(start + self.chunk.amount * size, count)
            with self.chunk.measured():
                added = self._evaluate(*np.array([start, end], np.int32), *sums)
                sums = tuple(tensor.numpy() for tensor in added)
            start = end
        return {
            data.index: Tally(count, int(correct), float(loss_sum))
            for data, loss_sum, correct in zip(self.group, *sums, strict=True)
        }

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
        int64.
        """
        indices = [data.index for data in self.group]
        size = self.feed.test_batch

        def one_batch(start: tf.Tensor, loss_sums: tf.Tensor, correct: tf.Tensor) -> tuple:
            outputs = self.network.logits(
                self.feed.evaluation_batch(start), indices, training=False
            )
            labels = [data.test_labels[start : start + size] for data in self.group]
            pairs = list(zip(labels, outputs, strict=True))
            sums = [tf.reduce_sum(tf.cast(cross_entropy(*pair), tf.float64)) for pair in pairs]
            right = [count_correct(*pair) for pair in pairs]
            return start + size, loss_sums + tf.stack(sums), correct + tf.stack(right)

        shaped = [tf.ensure_shape(sums, [len(self.group)]) for sums in (loss_sums, correct)]
        return tf.while_loop(lambda start, *_: start < end, one_batch, (start, *shaped))[1:]
