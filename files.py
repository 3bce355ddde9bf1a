"""Files: only regular ones are read, and a file is written whole or not at all."""

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

SCRATCH = ".new-"  # how the names of files and folders begin that are not whole yet
# Seconds after which an unlocked scratch folder belongs to a process that was killed: until then
# its process may be about to lock it.
ABANDONED = 60


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file for reading: a pipe or a device might never end.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_regular(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path) -> bytes:
    """Reads a regular file.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        return file.read()


def check_regular(path: Path, mode: int) -> None:
    """Raises OSError unless `mode`, of `os.stat_result.st_mode`, is that of a regular file."""
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def check_replaceable(path: Path) -> None:
    """Checks that `write_whole` may write there: to a regular file, or where there is none.

    Raises:
        OSError: there is something else, such as a link or a device.
    """
    with suppress(FileNotFoundError):
        check_regular(path, path.lstat().st_mode)


def write_whole(path: Path, contents: str | bytes) -> None:
    """Writes a file, whole or not at all, in place of a regular file or of none.

    Raises:
        OSError: it cannot be written, or there is something else, such as a link or a device.
    """
    check_replaceable(path)
    scratch = path.with_name(f"{SCRATCH}{os.getpid()}")
    scratch.unlink(missing_ok=True)
    try:
        with scratch.open("xb") as file:  # which follows no link
            file.write(contents.encode() if isinstance(contents, str) else contents)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        error.filename = str(path)  # a write names no file, and the rest the scratch file
        raise
    finally:
        scratch.unlink(missing_ok=True)
    sync(path.parent)


def write_json(path: Path, value: dict) -> None:
    """Writes a JSON file, whole or not at all; raises OSError as `write_whole` does."""
    write_whole(path, json.dumps(value, indent=2) + "\n")


def sync(path: Path) -> None:
    """Waits until a file's contents, or a folder's list of files, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems have no such thing for folders
            raise
    finally:
        os.close(descriptor)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Provides a new hidden folder in `parent`, which is removed at the end, unless it was renamed.

    A folder that a killed process has left is removed by the next call.

    Raises:
        OSError: it cannot be created.
    """
    remove_abandoned(parent)
    folder = parent / f"{SCRATCH}{os.getpid()}-{time.time_ns()}"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def remove_abandoned(parent: Path) -> None:
    """Removes the scratch folders in `parent` whose processes were killed."""
    for path in parent.glob(f"{SCRATCH}*"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                old = time.time() - os.fstat(descriptor).st_mtime > ABANDONED
                if old and lock(descriptor):
                    shutil.rmtree(path)
            finally:
                os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Locks an open file or folder until it is closed; the lock ends with its process.

    Returns:
        False where the file system cannot lock it, as many on a network cannot lock a folder.

    Raises:
        BlockingIOError: another process has locked it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


@contextmanager
def current_folder(folder: Path) -> Iterator[None]:
    """Makes a folder the current one while this is open."""
    # A folder that may be entered need not be one that may be listed.
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(before)
        os.close(before)
