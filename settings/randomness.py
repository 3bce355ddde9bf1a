"""Seeds: everything random is a function of the run's seed, a stream and a step.

A stream is one use of randomness (the weights, the order of the examples, …). Streams never share
a key, so that drawing more from one cannot change another, and no generator carries a state that
would have to be saved.
"""

import enum

import numpy as np


class Stream(enum.IntEnum):
    """A use of randomness. The numbers are part of a run's identity: never renumber them."""

    WEIGHTS = 0
    ORDER = 1
    DROPOUT = 2
    TRAIN_IMAGES = 3
    TEST_IMAGES = 4
    WHOLE_RUN = 5
    SCHEDULE = 6


def stream_key(seed: int, stream: Stream, index: int = 0) -> int:
    """Returns the key in [0, 2**31) of a stream, for the `index`-th task or layer that uses it."""
    state = np.random.SeedSequence([seed, stream, index]).generate_state(1)
    return int(state[0] >> 1)
