"""Runs task.py in a timed process, as a user does on a terminal, and brings back its notes."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.timed_task import MAXRSS_BYTES, Moment
from errors import RequestError, RunError

ROOT = Path(__file__).resolve().parent.parent
# Made to look as on any machine, whatever terminal the benchmark itself has.
TERMINAL = {"TERM": "xterm-256color"}


@dataclass(frozen=True)
class TimedRun:
    """When a run began and ended, where its time went, and how much memory it had at most."""

    started: float  # seconds since 1970, as all times
    ended: float
    moments: list[Moment]  # from the start on, without gaps
    aside: list[Moment]  # what other threads than the main one did, each by its processor time
    peak_memory: int  # bytes


def timed_run(flags: Sequence[str]) -> TimedRun:
    """Runs `task.py` with those flags, on a terminal and with a --log-dir of its own.

    Raises:
        RequestError, RunError: it ended with exit code 2, or with another; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="multiple-tasks-") as scratch:
        notes = Path(scratch, "notes.json")
        flags = [*flags, "--log-dir", str(Path(scratch, "log"))]
        started = time.time()
        command = [sys.executable, "-m", "benchmarks.timed_task", str(started), str(notes), *flags]
        code, errors, peak_memory = run_on_terminal(command)
        ended = time.time()
        if code:
            told = (errors.strip().splitlines() or [f"task.py ended with exit code {code}"])[-1]
            message = told.removeprefix("task.py: error: ").removeprefix("task.py: failed: ")
            raise (RequestError if code == 2 else RunError)(message)
        noted = json.loads(notes.read_text(encoding="utf-8"))
    moments, aside = ([Moment(**values) for values in noted[name]] for name in ("moments", "aside"))
    return TimedRun(started, ended, moments, aside, peak_memory)


def run_on_terminal(command: Sequence[str]) -> tuple[int, str, int]:
    """Runs a command of this program's.

    Returns:
        Its exit code, what it wrote to standard error, and the most memory that it had, in bytes.
    """
    ours, theirs = os.openpty()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, **TERMINAL, "PYTHONPATH": path},
        text=True,
    )
    os.close(theirs)
    reader = threading.Thread(target=discard, args=[ours])
    reader.start()
    try:
        errors = process.stderr.read()
        # The only way to learn a child's own peak, and not that of all children so far.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        process.stderr.close()
        reader.join()
        os.close(ours)
    return process.returncode, errors, usage.ru_maxrss * MAXRSS_BYTES


def discard(terminal: int) -> None:
    """Reads what is written to a terminal until nobody has it open any more."""
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:  # how Linux tells the end
        pass
