"""What is written of a run: by a thread of its own, in order, whole, and never in silence lost."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from errors import RunError
from runs.log import MOST_WAITING, RunLog, told_in_a_line
from tests.support.reading import accumulate


def a_test(step: int) -> dict:
    return {"step": step, "accuracy": [0.5], "loss": [1.0], "mean_accuracy": 0.5}


def test_all_that_was_said_is_written_in_order(tmp_path: Path) -> None:
    with RunLog(tmp_path, ["id"]) as log:
        for step in range(50):
            log.scalars("train", step, {"accuracy": step / 50})
            log.test(a_test(step))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(50))
    points = accumulate(tmp_path / "train").Tensors("accuracy")
    assert [(point.step, float(tf.make_ndarray(point.tensor_proto))) for point in points] == [
        (step, pytest.approx(step / 50)) for step in range(50)
    ]


def test_training_does_not_wait_for_it(tmp_path: Path) -> None:
    disk = threading.Event()
    with RunLog(tmp_path, ["id"]) as log:
        log.later(disk.wait, 20)
        log.test(a_test(0))
        assert not (tmp_path / "metrics.jsonl").read_text()
        disk.set()
        log.finish()
        assert json.loads((tmp_path / "metrics.jsonl").read_text())["step"] == 0


def test_what_waits_to_be_written_is_bounded(tmp_path: Path) -> None:
    with RunLog(tmp_path, ["id"]) as log:
        waiting = []
        for _ in range(3 * MOST_WAITING):
            log.later(time.sleep, 0.001)
            waiting.append(len(log.waiting))
    assert MOST_WAITING // 2 < max(waiting) <= MOST_WAITING


def fail() -> None:
    raise OSError("disk full")


def test_what_could_not_be_written_is_told_by_the_next_call(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full"), RunLog(tmp_path, ["id"]) as log:
        log.later(fail)
        for step in range(1_000):
            log.scalars("train", step, {"accuracy": 0.5})
            time.sleep(0.01)


@pytest.mark.parametrize("finish", [True, False])
def test_what_could_not_be_written_is_told_at_the_end(tmp_path: Path, finish: bool) -> None:
    with pytest.raises(OSError, match="disk full"), RunLog(tmp_path, ["id"]) as log:
        log.later(fail)
        if finish:
            log.finish()
            pytest.fail("not told")


def test_another_failure_comes_first(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), RunLog(tmp_path, ["id"]) as log:
        log.later(fail)
        raise ValueError("mine")


def test_all_is_closed_whatever_fails(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="disk full"), RunLog(tmp_path, ["id"]) as log:
        log.writers["test"] = SimpleNamespace(close=fail)
        log.scalars("train", 0, {"accuracy": 0.5})
    assert accumulate(tmp_path / "train").Tensors("accuracy")


def test_a_disk_that_is_full_is_told_in_a_line() -> None:
    with pytest.raises(RunError, match="at step 3: disk full"), told_in_a_line(lambda: "at step 3"):
        fail()
