"""The real command, run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_command(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Runs `python task.py` as a user does; what is written to stdout and stderr is text."""
    return subprocess.run(
        [sys.executable, "task.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def one_line(result: subprocess.CompletedProcess) -> str:
    """The single line of an error; fails where there is none, or more."""
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr
