"""Files that are written whole or not at all, and survive a crash of the machine."""

import errno
import json
import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    scratch = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
    sync(path.parent)


def write_json(path: Path, value: dict) -> None:
    """Writes a JSON file, whole or not at all."""
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
