"""A run's folder: its name, its creation, and its lock."""

import itertools
import os
import platform
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from errors import RequestError
from files import lock, read_regular, scratch_folder, sync, write_json
from runs.config import CONFIG
from settings import Settings

# Bytes. File systems allow 255 for a name, and a path has several.
MAX_NAME = 120
LOCK = ".lock"
CHECKPOINTS = "checkpoints"
IN_USE = "is in use by"  # in the message of InUse
MATRIX = "matrix.csv"
SUMMARY = "summary.json"  # written last, when the run has finished


class InUse(RequestError):
    """Another process has locked a run's folder."""


@contextmanager
def new_run_folder(settings: Settings, config: dict) -> Iterator[Path]:
    """Creates a run's folder with its `config.json`, and holds its lock while this is open.

    The folder appears with that file in it, so that a run that is killed at any moment can be
    resumed.

    Raises:
        RequestError: the folder cannot be created.
    """
    parent = parent_folder(settings)
    with ExitStack() as held:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            made = held.enter_context(scratch_folder(parent))
            held.enter_context(file_locked(made))
            write_json(made / CONFIG, config)
            folder = named_by_time(made)
            sync(parent)
        except OSError as error:
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
    joined = "_".join(name.replace(":", "-") for name in names)
    if len(joined.encode()) <= MAX_NAME or len(names) == 1:
        return plain_name(joined)
    return f"{plain_name(names[0])}_and_{len(names) - 1}_more"


def plain_name(task: str) -> str:
    """Returns the task's name as part of a file's: cut to a length, and without the colon.

    Not all file systems accept a colon.
    """
    return task.replace(":", "-").encode()[:MAX_NAME].decode(errors="ignore")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run's folder while this is open.

    The locks are the system's, and end with their process, even if that is killed. One is on the
    folder itself, which no removed or copied file can undo; one is on a file in it, for network
    file systems that lock files alone.

    Raises:
        RequestError: another process holds it, the folder cannot be written or locked, or not all
            in it is its own.
    """
    check_contents(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with in_use_errors(folder):
            lock(descriptor)
        with file_locked(folder):
            yield
    finally:
        os.close(descriptor)


def check_contents(folder: Path) -> None:
    """Refuses a run's folder with anything in it that is not a file or folder of its own.

    What a link leads to would be overwritten in place of the run's files, and a pipe has no end.

    Raises:
        RequestError: it has a link, a pipe or a device in it, or cannot be read, or TensorFlow
            cannot take its name.
    """
    try:
        str(folder).encode()
        folders = [str(folder)]
        for path in folders:  # which grows by those inside
            for entry in os.scandir(path):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    kind = "link" if entry.is_symlink() else "pipe or device"
                    raise RequestError(
                        f"{entry.path} is a {kind}, and a run is resumed only in a folder of files "
                        "of its own; replace it by a copy of the file or folder, or remove it"
                    )
    except UnicodeEncodeError as error:
        raise RequestError(
            f"{folder} has a name that is not UTF-8, which TensorFlow cannot write to; rename it"
        ) from error
    except OSError as error:
        raise RequestError(
            f"{error.filename or folder} cannot be read ({error.strerror}); make it readable"
        ) from error


@contextmanager
def file_locked(folder: Path) -> Iterator[None]:
    """Locks the file in a run's folder that names the process, as long as this is open.

    Raises:
        RequestError: another process has locked it, or it cannot be written or locked.
    """
    path = folder / LOCK
    try:
        if path.exists() and path.stat().st_nlink > 1:
            path.unlink()  # a copy of the folder made of hard links, which would share the lock
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be written ({error.strerror}); make it writable, or copy it"
        ) from error
    with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
        with in_use_errors(folder):
            if not lock(descriptor):
                raise RequestError(
                    f"{folder} is on a file system without locks, which keep two processes from "
                    "writing to one run; use a --log-dir on another"
                )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield


@contextmanager
def in_use_errors(folder: Path) -> Iterator[None]:
    """Reports that another process has locked a run's folder.

    Raises:
        InUse: it is locked.
    """
    try:
        yield
    except BlockingIOError as error:
        holder = ""
        with suppress(OSError):
            holder = read_regular(folder / LOCK).decode(errors="replace").strip()
        raise InUse(
            f"{folder} {IN_USE} {holder or 'another process'}; wait until it ends, or stop it"
        ) from error


def resume_command(folder: Path) -> str:
    """Returns the command that resumes a run."""
    return f"python task.py --resume {shlex.quote(str(folder.absolute()))}"


def runs_below(folder: Path) -> list[Path]:
    """Returns the folders of all runs below a folder; itself if it is a run's, or none is below."""
    found, folders = [], [str(folder)]
    for path in folders:  # which grows by those inside; os.walk fails where they are very deep
        with suppress(OSError):  # such as of a folder that is gone meanwhile
            entries = list(os.scandir(path))
            if any(entry.name == CONFIG and not entry.is_dir() for entry in entries):
                found.append(Path(path))
                continue
            folders += [
                entry.path
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            ]
    return sorted(found) or [folder]
