"""Runs that are started, ended at some moment, and taken up again: the real command throughout."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from reports.runs import runs_below
from tests.support.command import ROOT
from tests.support.reading import accumulate

# Two tasks with dropout, one of them on noise, and eleven tests. The points of training do not fall
# together with the steps at which it is saved, nor these with the tests.
FLAGS = (
    *("--tasks", "id", "noise", "--filters", "2", "--batch", "5", "--task-time", "25"),
    *("--max-steps", "200", "--test-frequency", "20", "--train-summary-frequency", "7"),
    *("--checkpoint-frequency", "30", "--seed", "3", "--threads", "1"),
)


def start(*arguments: object, cwd: Path = ROOT, **environment: str) -> subprocess.Popen:
    """Starts `python task.py`; what it writes is text."""
    return subprocess.Popen(
        [sys.executable, ROOT / "task.py", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    """Waits until it ends: its exit code, and what it wrote to both outputs."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def wait_for_tests(process: subprocess.Popen, log_dir: Path, count: int) -> None:
    """Waits until the one run in a --log-dir has so many tests in its metrics, or has ended."""
    while process.poll() is None:
        (run,) = runs_below(log_dir)
        metrics = run / "metrics.jsonl"
        tests = metrics.read_bytes().count(b"\n") if metrics.exists() else 0
        if run != log_dir and tests >= count:
            return
        time.sleep(0.002)


def signal_at(process: subprocess.Popen, log_dir: Path, moment: int, number: int) -> None:
    """Sends a signal at a moment that follows from a seed: some time after some test.

    The tests are those of the first, the second or the last third of a run, in turn.
    """
    draws = random.Random(moment)
    wait_for_tests(process, log_dir, 4 * (moment % 3) + draws.randrange(3))
    time.sleep(draws.uniform(0, 0.03))
    process.send_signal(number)


def kill_at(process: subprocess.Popen, log_dir: Path, moment: int) -> None:
    """Kills it, as a machine that fails does, and waits until it is gone."""
    signal_at(process, log_dir, moment, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()


def all_of(run: Path) -> dict:
    """All that a run's folder says of its course, to the last bit.

    The event files as TensorBoard's own reader has them, but for when each point was written and
    the settings, among which are those that may change.
    """
    metrics = run / "metrics.jsonl"
    found = {"metrics": metrics.read_text() if metrics.exists() else ""}
    for folder in sorted(path for path in run.iterdir() if path.is_dir()):
        events = accumulate(folder)
        for tag in set(events.Tags()["tensors"]) - {"settings"}:
            found[folder.name, tag] = [
                (point.step, point.tensor_proto.SerializeToString())
                for point in events.Tensors(tag)
            ]
        if events.Tags()["graph"]:
            found[folder.name, "graph"] = len(events.Graph().node)
    return found
