"""Failures of TensorFlow and of the file system, as errors of one line."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from errors import RunError
from runs.folder import resume_command


@contextmanager
def as_run_error(doing: Callable[[], str]) -> Iterator[None]:
    """Reports what TensorFlow or the system cannot do, such as find enough memory.

    Args:
        doing: returns what was being done, for the message.

    Raises:
        RunError: it cannot be done.
    """
    try:
        yield
    except (tf.errors.OpError, MemoryError, OSError) as error:
        raise RunError(f"{doing()}: {reason_of(error)}") from error


@contextmanager
def write_errors(path: Path, run: Path) -> Iterator[None]:
    """Reports that a file of a run cannot be written.

    Raises:
        RunError: it cannot be written; the message has the command that resumes the run.
    """
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        raise RunError(
            f"{path} cannot be written ({reason_of(error)}); make room for it, or make it writable "
            f"again, and resume from the last checkpoint with: {resume_command(run)}"
        ) from error


def reason_of(error: Exception) -> str:
    """Returns the reason of a failure, without TensorFlow's internals and the file's name."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first_line = str(error).partition("\n")[0]
    return (
        re.sub(r"^(\{\{.*\}\} )?(/.*; )?| \[Op:\w+\]( name: .*)?$", "", first_line)
        or "out of memory"
    )
