"""A run's folder: its name, its creation, and its lock."""

import fcntl
import itertools
import os
import platform
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from errors import RequestError
from files import sync, write_json
from runs.config import CONFIG
from settings import Settings

# Bytes. File systems allow 255 for a name, and a path has several.
MAX_NAME = 120
LOCK = ".lock"
SUMMARY = "summary.json"  # written last, when the run has finished


@contextmanager
def new_run_folder(settings: Settings, config: dict) -> Iterator[Path]:
    """Creates a run's folder with its `config.json`, and holds its lock while this is open.

    The folder appears with that file in it, so that a run that is killed at any moment can be
    resumed.

    Raises:
        RequestError: the folder cannot be created.
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
                f"--log-dir: the run's folder in {parent} cannot be created ({error.strerror}); "
                "name a folder that can be written"
            ) from error
        yield folder


def parent_folder(settings: Settings) -> Path:
    """Returns the folder of all runs that are equal on the axes of the path."""
    tasks, network = settings.tasks, settings.network
    return Path(
        settings.log.log_dir,
        *(["fake"] if settings.data.fake_data else []),
        "t_" + name_of_tasks(tasks.tasks),
        settings.input.input_style,
        settings.training.optimizer,
        "n_" + "_".join([*network.network, *(["multi"] if network.heads == "multi" else [])]),
        f"tt{tasks.task_time}" if tasks.schedule == "cycle" else tasks.schedule,
    )


def named_by_time(made: Path) -> Path:
    """Renames a new folder to the current time, and returns its path."""
    name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for attempt in itertools.count(1):
        folder = made.with_name(name if attempt == 1 else f"{name}_{attempt}")
        try:
            return made.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            # Another run began in the same second; its folder is not empty, and so not replaced.


def name_of_tasks(names: Sequence[str]) -> str:
    """Returns the tasks' names joined; the first and a count where that is too long."""
    joined = "_".join(map(plain_name, names))
    if len(joined.encode()) <= MAX_NAME:
        return joined
    return f"{plain_name(names[0])}_and_{len(names) - 1}_more"


def plain_name(task: str) -> str:
    """Returns the task's name without the colon, which not all file systems accept."""
    return task.replace(":", "-")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run's folder while this is open.

    The lock is the system's, and ends with its process, even if that is killed.

    Raises:
        RequestError: another process holds it, or the folder cannot be written.
    """
    try:
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be written ({error.strerror}); make it writable, or copy it"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise RequestError(
                f"{folder} is in use by {file.read().strip() or 'another process'}; wait until it "
                "ends, or stop it"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield


def resume_command(folder: Path) -> str:
    """Returns the command that resumes a run."""
    return f"python task.py --resume {shlex.quote(str(folder.absolute()))}"


def runs_below(folder: Path) -> list[Path]:
    """Returns the folders of all runs below a folder; itself if it is a run's, or none is below."""
    found = []
    for path, folders, files in os.walk(folder):  # which ignores folders that are gone meanwhile
        folders[:] = [name for name in folders if not name.startswith(".")]
        if CONFIG in files:
            found.append(Path(path))
            folders.clear()
    return sorted(found) or [folder]
