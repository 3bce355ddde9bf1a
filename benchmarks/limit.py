"""The least time that the machine needs for a training step or a test, and what it is made of.

The limit is the work's floating-point operations over the machine's rate of matrix products, plus
its traffic over the machine's memory rate. Only what no order of the operations can save in the
textbook's network is counted, a convolution with ReLU, pooling and an output layer, each a pass of
its own:

- operations of a step: the convolution, its filter gradient (none is needed for the images), and
  the output layer's three products, each 2 for a multiplication and an addition; of a test: the
  convolution and the output layer's one;
- traffic of a step: the convolution's output is written and read, and so is its gradient; of a
  test: it is written and read. All else is small beside it.

For 100 images of 28×28 with three channels and 64 filters that is 2·(2·100·28·28·64·5·5·3) +
3·(2·100·14·14·64·10) = 1.58 GFLOP and 4·(100·28·28·64·4 bytes) = 80 MB.

A program can come below the limit where it does the same with less: where it leaves out channels
that are zero, or where a small batch stays in the processor's cache.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from networks.channels import CHANNELS

WINDOW = 5  # the convolution's height and width
CLASSES = 10
BYTES = {"float32": 4, "bfloat16": 2}  # of a number
# Larger than a processor's cache, so that the memory itself is measured: 256 MB an array.
ARRAY = 2**26
# A square matrix of this many rows is large enough for the best rate.
ROWS = 3072


@dataclass(frozen=True)
class Work:
    """What a computation comes to at least."""

    operations: int
    values: int  # that are written to memory or read from it

    def seconds(self, rates: dict[str, Sequence[float]], precision: str) -> list[float]:
        """The limit in each turn in which the machine's rates were measured."""
        return [
            self.operations / product + self.values * BYTES[precision] / memory
            for product, memory in zip(rates[precision], rates["memory"], strict=True)
        ]


def training_work(settings: argparse.Namespace) -> Work:
    """Of a training step."""
    convolution, output, values = passes(settings, settings.batch)
    return Work(2 * convolution + 3 * output, 4 * values)


def testing_work(settings: argparse.Namespace, images: int) -> Work:
    """Of a test of that many images."""
    convolution, output, values = passes(settings, images)
    return Work(convolution + output, 2 * values)


def passes(settings: argparse.Namespace, images: int) -> tuple[int, int, int]:
    """Operations of the convolution and of the output layer, and values between them."""
    (filters,) = settings.filters
    values = images * settings.image_size**2 * filters
    pooled = images * ((settings.image_size + 1) // 2) ** 2 * filters
    window = WINDOW**2 * CHANNELS[settings.input_style]
    return 2 * values * window, 2 * pooled * CLASSES, values


def machine() -> dict[str, tuple[float, Callable[[], object]]]:
    """What measures the machine: how much each call does, and the call.

    The matrix product of each precision, in operations, and `memory`, in bytes: a sum of two arrays
    into the first of them, which reads both and writes one.
    """

    def product(precision: str) -> Callable[[], object]:
        matrix = tf.cast(tf.random.stateless_uniform([ROWS, ROWS], (0, 0)), precision)
        # Reading a value waits for the whole.
        return lambda: tf.matmul(matrix, matrix)[0, 0].numpy()

    total, other = tf.Variable(tf.zeros([ARRAY])), tf.ones([ARRAY])
    return {
        **{precision: (2 * ROWS**3, product(precision)) for precision in BYTES},
        "memory": (3 * 4 * ARRAY, lambda: total.assign_add(other)[0].numpy()),
    }
