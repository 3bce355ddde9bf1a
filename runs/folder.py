"""The run's folder: made whole or not at all, and one process's at a time."""

import argparse
import fcntl
import itertools
import os
import platform
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from errors import RequestError
from runs.config import CONFIG
from runs.files import sync, write_json

# File systems take names of 255 bytes, and a path is made of several.
LONGEST_NAME = 120
LOCK = ".lock"
SUMMARY = "summary.json"  # written when a run comes to its end, and last


@contextmanager
def new_run_folder(settings: argparse.Namespace, config: dict) -> Iterator[Path]:
    """A new folder for a run, with its `config.json`, held while this is open.

    It is named by the axes on which runs differ, and by the time. It appears with that file in it,
    so that a run that ends at any moment can be taken up again.

    Raises:
        RequestError: it cannot be made.
    """
    parent = parent_folder(settings)
    made = parent / f".new-{os.getpid()}-{time.time_ns()}"
    with ExitStack() as held:
        try:
            made.mkdir(parents=True)
            held.enter_context(locked(made))
            write_json(made / CONFIG, config)
            folder = named_by_time(made)
            sync(parent)
        except OSError as error:
            shutil.rmtree(made, ignore_errors=True)
            raise RequestError(
                f"--log-dir: the run's folder in {parent} cannot be made ({error.strerror}); "
                "name a folder that can be written"
            ) from error
        yield folder


def parent_folder(settings: argparse.Namespace) -> Path:
    """The folder of all runs that are alike on the axes."""
    cycle = settings.schedule == "cycle"
    return Path(
        settings.log_dir,
        *(["fake"] if settings.fake_data else []),
        "t_" + name_of_tasks(settings.tasks),
        settings.input_style,
        settings.optimizer,
        "n_" + "_".join([*settings.network, *(["multi"] if settings.heads == "multi" else [])]),
        f"tt{settings.task_time}" if cycle else settings.schedule,
    )


def named_by_time(made: Path) -> Path:
    """Gives a folder that was just made the name that it keeps."""
    name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for attempt in itertools.count(1):
        folder = made.with_name(name if attempt == 1 else f"{name}_{attempt}")
        try:
            return made.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            # Another run began in the same second, whose folder is not empty, and so not replaced.


def name_of_tasks(names: list[str]) -> str:
    """The tasks in a folder's name: the first and how many more, where it would be too long."""
    joined = "_".join(map(plain_name, names))
    if len(joined.encode()) <= LONGEST_NAME:
        return joined
    return f"{plain_name(names[0])}_and_{len(names) - 1}_more"


def plain_name(task: str) -> str:
    """The task's name without the colon, which not all file systems take."""
    return task.replace(":", "-")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run's folder while this is open.

    The lock is the system's, and ends with its process, however that ends.

    Raises:
        RequestError: another process has it, which the message names, or it cannot be written.
    """
    try:
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be written ({error.strerror}); make it writable, or copy it elsewhere"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise RequestError(
                f"{folder} is still going, in {file.read().strip() or 'another process'}; wait "
                "until that ends, or stop it"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield


def resume_command(folder: Path) -> str:
    """What to type to take a run up again."""
    return f"python task.py --resume {shlex.quote(str(folder.absolute()))}"
