"""Ctrl-C and SIGTERM at a real run."""

import os
import signal
import time

import pytest
import tensorflow as tf
from interrupts import Interrupted, Interrupts, Pace

from tests.support.datasets import write_mnist
from tests.support.reading import only_run, read_metrics
from tests.support.running import end, start, wait_for_tests


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_saving(tmp_path, sent, code):
    write_mnist(tmp_path / "mnist")
    flags = ("--tasks", "id", "--max-steps", "10000000", "--filters", "2", "--test-frequency", "20")
    process = start("--data-dir", tmp_path, "--log-dir", tmp_path / "log", *flags)
    for line in process.stdout:
        if line.startswith("step 40/"):
            process.send_signal(sent)
            break
    returned, output, errors = end(process)
    assert (returned, errors) == (code, "")
    folder = only_run(tmp_path / "log")
    step = int(tf.train.latest_checkpoint(folder / "checkpoints").rpartition("-")[2])
    assert step >= 40
    assert f"stopped after {step:,} steps" in output
    assert read_metrics(folder)[-1]["step"] <= step
    assert not (folder / "summary.json").exists()


def test_the_first_signal_is_noted_and_the_second_obeyed():
    with Interrupts() as interrupts, interrupts.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.stopped()
        assert interrupts.received == signal.SIGTERM
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.signal_number == signal.SIGINT


def test_a_second_signal_ends_the_run_at_once(tmp_path):
    write_mnist(tmp_path / "mnist")
    flags = ("--tasks", "id", "--max-steps", "10000000", "--filters", "2", "--test-frequency", "20")
    process = start("--data-dir", tmp_path, "--log-dir", tmp_path / "log", *flags)
    wait_for_tests(process, tmp_path / "log", 3)
    while process.poll() is None:  # the first of them notes it, any other ends the run
        process.send_signal(signal.SIGTERM)
    code, _, errors = end(process)
    assert code in (143, -signal.SIGTERM)  # or when Python itself was at its end
    run = only_run(tmp_path / "log")
    way_on = f"; go on from what was saved with: python task.py --resume {run}"
    assert errors in (f"task.py: stopped{way_on}\n", "")
    assert not (run / "summary.json").exists()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_only_what_nohup_ignores_is_ignored(signal_number):
    before = signal.signal(signal_number, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts, interrupts.deferred():
            os.kill(os.getpid(), signal_number)
            assert interrupts.stopped() == (signal_number != signal.SIGHUP)
        assert signal.getsignal(signal_number) == signal.SIG_IGN
    finally:
        signal.signal(signal_number, before)


def test_as_much_is_done_at_a_time_as_takes_half_a_second(monkeypatch):
    """A step takes 30 ms, and later 90."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pace, amounts = Pace(most=20), []
    for seconds in [0.03] * 6 + [0.09] * 4:
        amounts.append(pace.amount)
        with pace.measured():
            clock[0] += seconds * pace.amount
    assert amounts == [1, 2, 4, 8, 16, 16, 16, 8, 4, 4]
    with pace.measured():
        clock[0] += 100
    with pace.measured():
        clock[0] += 100
    with pace.measured():
        clock[0] += 100
    assert pace.amount == 1


def test_a_signal_is_obeyed_at_once_where_nothing_can_be_lost():
    with Interrupts() as interrupts:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        assert not interrupts.stopped()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
