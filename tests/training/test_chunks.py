"""The size of a chunk of steps."""

import time

import pytest

from training.chunks import ChunkSize


def test_a_chunk_takes_about_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes 30 ms, later 90 ms, and at last far too long."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    size, amounts = ChunkSize(most=20), []
    for seconds in [0.03] * 6 + [0.09] * 4 + [100] * 3:
        amounts.append(size.amount)
        with size.measured():
            clock[0] += seconds * size.amount
    assert amounts == [1, 2, 4, 8, 16, 16, 16, 8, 4, 4, 4, 2, 1]
    assert size.amount == 1
