"""Processes of the real command, which are interrupted or killed at some moment."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from runs.folder import runs_below
from tests.support.command import ROOT

# Two tasks with dropout, one of them on noise, and 17 evaluations, six of them at switches alone.
# Points of the training curves, checkpoints and evaluations are at different steps.
FLAGS = (
    *("--tasks", "id", "noise", "--filters", "2", "--batch", "5", "--task-time", "25"),
    *("--max-steps", "200", "--test-frequency", "20", "--train-summary-frequency", "7"),
    *("--checkpoint-frequency", "30", "--seed", "3", "--threads", "1"),
)


def start(*arguments: object, cwd: Path = ROOT) -> subprocess.Popen:
    """Starts `python task.py`; its outputs are text."""
    return subprocess.Popen(
        [sys.executable, ROOT / "task.py", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    """Waits until a process ends; returns its exit code and both outputs."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def wait_for_evaluations(process: subprocess.Popen, log_dir: Path, count: int) -> None:
    """Waits until the only run in a --log-dir has `count` lines of metrics, or has ended."""
    while process.poll() is None:
        (run,) = runs_below(log_dir)
        metrics = run / "metrics.jsonl"
        lines = metrics.read_bytes().count(b"\n") if metrics.exists() else 0
        if run != log_dir and lines >= count:
            return
        time.sleep(0.002)


def signal_at(process: subprocess.Popen, log_dir: Path, moment: int, number: int) -> None:
    """Sends a signal at a moment that follows from a seed: some time after some evaluation.

    The evaluations are those of the first, the second or the last third of a run, in turn.
    """
    draws = random.Random(moment)
    wait_for_evaluations(process, log_dir, 6 * (moment % 3) + draws.randrange(4))
    time.sleep(draws.uniform(0, 0.03))
    process.send_signal(number)


def kill_at(process: subprocess.Popen, log_dir: Path, moment: int) -> None:
    """Kills a process, as the failure of a machine does, and waits until it is gone."""
    signal_at(process, log_dir, moment, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
