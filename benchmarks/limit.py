"""The machine's limit: the time that the least arithmetic and memory traffic of a step take.

Counted is only what no order of the operations saves in the textbook network: the products of the
convolution and of the output layer, and writing and reading the convolution's output. For a step on
100 images of 28×28 with three channels and 64 filters that is 1.58 GFLOP and 80 MB. A program beats
the limit where it leaves out channels that are zero, or where a small batch stays in the cache.
"""

from collections.abc import Callable

import tensorflow as tf

from benchmarks.measuring import Values
from networks.channels import CHANNELS
from settings import Settings

WINDOW = 5  # height and width of the convolution, pixels
CLASSES = 10
BYTES = {"float32": 4, "bfloat16": 2}  # of a value
ROWS = 3072  # of the square matrices that are multiplied: enough for the best rate
ARRAY = 2**26  # values of the arrays that are added: 256 MB each, more than a cache holds


def limit_seconds(
    settings: Settings, images: int, training: bool, products: Values, bandwidths: Values
) -> list[float]:
    """Returns the limit of training or evaluating a number of images, in each turn."""
    (filters,) = settings.network.filters
    size = settings.input.image_size
    values = images * size**2 * filters
    pooled = images * ((size + 1) // 2) ** 2 * filters
    convolution = 2 * values * WINDOW**2 * CHANNELS[settings.input.input_style]
    output = 2 * pooled * CLASSES
    traffic = 2 * values * BYTES[settings.network.precision]
    # In training the images need no gradient; that of the convolution's output is traffic too.
    gflop = (2 * convolution + 3 * output if training else convolution + output) / 1e9
    gigabytes = (2 * traffic if training else traffic) / 1e9
    turns = zip(products, bandwidths, strict=True)
    return [gflop / product + gigabytes / bandwidth for product, bandwidth in turns]


def machine_calls(precision: str) -> dict[str, tuple[float, Callable[[], object]]]:
    """Returns, for the rate of matrix products and of memory, an amount and a call that does it."""
    matrix = tf.cast(tf.random.stateless_uniform([ROWS, ROWS], (0, 0)), precision)
    total, other = tf.Variable(tf.zeros([ARRAY])), tf.ones([ARRAY])
    # Reading a value waits for the whole result. The sum reads two arrays and writes one.
    return {
        "products, GFLOP/s": (2e-9 * ROWS**3, lambda: tf.matmul(matrix, matrix)[0, 0].numpy()),
        "memory, GB/s": (3 * 4e-9 * ARRAY, lambda: total.assign_add(other)[0].numpy()),
    }
