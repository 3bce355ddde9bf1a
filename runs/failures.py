"""Failures of TensorFlow and of the file system, as errors of one line."""

import errno
import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from errors import RunError
from runs.folder import resume_command

# TensorFlow's internals, and the file's name, before the reason of an error of a file.
FILE = re.compile(r"^(?:\{\{.*\}\} )?(?:(/.*); )?")
INTERNALS = re.compile(r" \[Op:\w+\]( name: .*)?$")


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
        parts = (doing(), file_of(error), reason_of(error))
        raise RunError(": ".join(filter(None, parts))) from error


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
        reason = error.strerror
    else:
        reason = INTERNALS.sub("", FILE.sub("", first_line_of(error))) or "out of memory"
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if reason == os.strerror(errno.EFBIG) and limit != resource.RLIM_INFINITY:
        reason += f": `ulimit -f` allows {limit // 1024:,} KB; raise it"
    return reason


def file_of(error: Exception) -> str:
    """Returns the path of the file that could not be read or written; empty where unknown."""
    if isinstance(error, OSError):
        return str(error.filename or "")
    return FILE.match(first_line_of(error))[1] or ""


def first_line_of(error: Exception) -> str:
    """Returns the first line of an error's message."""
    return str(error).partition("\n")[0]
