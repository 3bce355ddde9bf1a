"""Ctrl-C and SIGTERM at a real run."""

import os
import signal
import subprocess
import sys

import pytest
import tensorflow as tf
from conftest import ROOT, write_mnist
from reading import only_run, read_metrics

from interrupts import Interrupted, Interrupts


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_saving(tmp_path, sent, code):
    write_mnist(tmp_path / "mnist")
    flags = ("--tasks", "id", "--max-steps", "10000000", "--filters", "2", "--test-frequency", "20")
    process = subprocess.Popen(
        [sys.executable, "task.py", "--data-dir", tmp_path, "--log-dir", tmp_path / "log", *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("step 40/"):
            process.send_signal(sent)
            break
    output, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert errors == ""
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


def test_a_signal_is_obeyed_at_once_where_nothing_can_be_lost():
    with Interrupts() as interrupts:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        assert not interrupts.stopped()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
