"""The real command, run as a user runs it, or within the process of the tests."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import task

ROOT = Path(__file__).resolve().parents[2]


def run_command(
    *arguments: object, program: Sequence[object] = ("task.py",), **environment: str
) -> subprocess.CompletedProcess:
    """Runs `python task.py`, or what else python is to run, as a user does; outputs are text."""
    return subprocess.run(
        [sys.executable, *map(str, (*program, *arguments))],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def run_here(
    *arguments: object, main: Callable[[], int] = task.main
) -> subprocess.CompletedProcess:
    """Runs a command in this process, which saves the seconds in which TensorFlow is loaded.

    The settings must not have --threads, which TensorFlow accepts once in a process.
    """
    command = [sys.modules[main.__module__].__file__, *map(str, arguments)]
    with (
        patch.object(sys, "argv", command),
        redirect_stdout(StringIO()) as output,
        redirect_stderr(StringIO()) as errors,
    ):
        code = main()
    return subprocess.CompletedProcess(command, code, output.getvalue(), errors.getvalue())


def one_line(result: subprocess.CompletedProcess) -> str:
    """Returns the single line of an error; fails where there is none, or more."""
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr
