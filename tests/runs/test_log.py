"""The log of a run: written by a thread of its own, in order and whole; no failure is silent."""

import errno
import os
import resource
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from errors import RunError
from files import write_whole
from runs.failures import as_run_error, reason_of
from runs.history import Evaluation
from runs.log import MAX_PENDING, RunLog
from tests.support.reading import read_curves, read_metrics


def evaluation(step: int) -> Evaluation:
    return Evaluation(step, trained=None, accuracy=(0.5,), loss=(1.0,))


def fail() -> None:
    raise OSError("disk full")


def test_everything_is_written_in_order(tmp_path: Path) -> None:
    with RunLog(tmp_path, ["id"]) as log:
        for step in range(50):
            log.scalars("train", step, {"accuracy": step / 50})
            log.evaluation(evaluation(step))
    assert [line["step"] for line in read_metrics(tmp_path)] == list(range(50))
    points = read_curves(tmp_path / "train")["accuracy"]
    assert points == [(step, pytest.approx(step / 50)) for step in range(50)]


def test_names_of_any_length_have_curves(tmp_path: Path) -> None:
    names = ["omniglot:" + "é" * 200, "omniglot:" + "é" * 200]
    with RunLog(tmp_path, names) as log:
        log.evaluation(Evaluation(0, None, (0.5, 0.25), (1.0, 1.0)))
    folders = [path.name for path in tmp_path.glob("test_task_*")]
    assert len(folders) == 2 and all(len(name.encode()) < 255 for name in folders)


def test_training_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    disk = threading.Event()
    with RunLog(tmp_path, ["id"]) as log:
        log.submit(disk.wait, 20)
        log.evaluation(evaluation(0))
        assert not read_metrics(tmp_path)
        disk.set()
        log.finish()
        assert [line["step"] for line in read_metrics(tmp_path)] == [0]


def test_pending_writes_are_bounded(tmp_path: Path) -> None:
    with RunLog(tmp_path, ["id"]) as log:
        pending = []
        for _ in range(3 * MAX_PENDING):
            log.submit(time.sleep, 0.001)
            pending.append(len(log.pending))
    assert MAX_PENDING // 2 < max(pending) <= MAX_PENDING


def test_a_failed_write_is_raised_by_a_later_call(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full"), RunLog(tmp_path, ["id"]) as log:
        log.submit(fail)
        for step in range(1_000):
            log.scalars("train", step, {"accuracy": 0.5})
            time.sleep(0.01)
        pytest.fail("not raised")


@pytest.mark.parametrize("finish", [True, False])
def test_a_failed_write_is_raised_at_the_end(tmp_path: Path, finish: bool) -> None:
    with pytest.raises(OSError, match="disk full"), RunLog(tmp_path, ["id"]) as log:
        log.submit(fail)
        if finish:
            log.finish()
            pytest.fail("not raised")


def test_another_failure_takes_precedence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), RunLog(tmp_path, ["id"]) as log:
        log.submit(fail)
        raise ValueError("mine")


def test_every_file_is_closed_whatever_fails(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="disk full"), RunLog(tmp_path, ["id"]) as log:
        log.writers["test"] = SimpleNamespace(close=fail)
        log.scalars("train", 0, {"accuracy": 0.5})
    assert read_curves(tmp_path / "train")["accuracy"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("{{function_node __wrapped__X}} no room [Op:ReadFile] name: ", "no room"),
        ("/log/run/ckpt; No space left on device [Op:SaveV2]", "No space left on device"),
        ("no room [Op:WriteSummary] name: scalar\nmore", "no room"),
    ],
)
def test_reasons_are_without_tensorflows_internals(message: str, reason: str) -> None:
    assert reason_of(tf.errors.InternalError(None, None, message)) == reason


TENSORFLOW_ERROR = tf.errors.FailedPreconditionError(
    None, None, "{{function_node X}} /log/run/.new.data; File too large [Op:SaveV2] name: "
)


@pytest.mark.parametrize(
    ("error", "file"),
    [
        (TENSORFLOW_ERROR, "/log/run/.new.data: "),
        (OSError(errno.EFBIG, "File too large", "/log/run/x.json"), "/log/run/x.json: "),
        (OSError(errno.EFBIG, "File too large"), ""),
    ],
)
def test_a_limit_of_the_size_of_files(
    error: Exception, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (8192, resource.RLIM_INFINITY))
    with pytest.raises(RunError) as caught, as_run_error(lambda: "writing /log/run"):
        raise error
    expected = f"writing /log/run: {file}File too large: `ulimit -f` allows 8 KB; raise it"
    assert str(caught.value) == expected


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_write(descriptor: int) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(os, "fsync", fail_to_write)
    with pytest.raises(OSError, match="File too large") as caught:
        write_whole(tmp_path / "summary.json", "{}")
    assert caught.value.filename == str(tmp_path / "summary.json")


def test_a_full_disk_is_an_error_of_one_line() -> None:
    with pytest.raises(RunError, match="at step 3: disk full"), as_run_error(lambda: "at step 3"):
        fail()
