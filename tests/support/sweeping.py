"""Sweeps of tiny runs on tiny data, as a user starts them, and the bytes that they leave."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import sweep
from runs.folder import runs_below
from runs.history import METRICS
from tests.support.command import ROOT, run_here
from tests.support.reading import read_json

FLAGS = (
    *("--tasks", "id", "ref", "--filters", "2", "--batch", "5", "--test-frequency", "20"),
    *("--checkpoint-frequency", "20", "--seeds", "0-1", "--vary", "task-time=10,30"),
)
Lines = dict[tuple[int, int], bytes]


def flags_of(data_dir: Path, base: Path, *flags: str) -> list[str]:
    places = ("--data-dir", data_dir, "--log-dir", base / "log", "--output", base / "report")
    return [*map(str, places), *FLAGS, "--at-once", "2", *flags]


def sweep_here(data_dir: Path, base: Path, *flags: str) -> subprocess.CompletedProcess:
    """Runs a sweep from this process; its runs are processes of their own."""
    return run_here(*flags_of(data_dir, base, *flags), main=sweep.main)


def metrics_of(base: Path) -> Lines:
    """Returns each run's `metrics.jsonl` by its task time and its seed, which no two share."""
    found: Lines = {}
    for run in runs_below(base / "log"):
        settings = read_json(run / "config.json")["settings"]
        key = settings["task_time"], settings["seed"]
        assert key not in found
        found[key] = (run / METRICS).read_bytes()
        assert (run / "summary.json").exists()
    return found


def processes_below(pid: int) -> list[int]:
    """Returns the runs that a sweep has started and that are alive."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()[1:]]
    return [child for child, parent in pairs if parent == pid]


def start(flags: list[str], ignored: int | None = None) -> subprocess.Popen:
    """Starts a sweep, which inherits that a signal is ignored."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, ROOT / "sweep.py", *flags]
    before = signal.signal(ignored, signal.SIG_IGN) if ignored else None
    try:
        return subprocess.Popen(command, **pipes)
    finally:
        if ignored:
            signal.signal(ignored, before)


def wait_for_runs(process: subprocess.Popen, base: Path, count: int) -> list[int]:
    """Waits until runs of a sweep have evaluated; returns the processes of those that live."""
    while process.poll() is None:
        begun = [run for run in runs_below(base / "log") if (run / METRICS).exists()]
        if len(begun) >= count and processes_below(process.pid):
            break
        time.sleep(0.02)
    return processes_below(process.pid)
