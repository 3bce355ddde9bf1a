"""Fetching what is missing into the user's cache folder: whole and checked, or not at all."""

import os
import socket
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import RequestError

# A host that says nothing for this long, in seconds, is taken to be out of reach.
TIMEOUT = 30


def cache_folder() -> Path:
    """Where this program keeps its data: $XDG_CACHE_HOME/multiple-tasks, or ~/.cache/…."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification says that a relative path is to be ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / "multiple-tasks"


def download(url: str, md5: str, target: Path, quiet: bool) -> None:
    """Downloads one file to `target`, which appears only once it is whole and its md5 agrees.

    Raises:
        RequestError: it could not be fetched or written, or is not the file that was expected.
    """
    with scratch_folder(target.parent) as scratch:
        os.replace(fetch(url, md5, scratch, quiet), target)


def download_archive(url: str, md5: str, target: Path, quiet: bool) -> None:
    """Downloads a tar archive that holds one folder, which becomes `target`, whole or not at all.

    Raises:
        RequestError: as for `download`, or the archive does not hold one folder and nothing else.
    """
    with scratch_folder(target.parent) as scratch:
        archive = fetch(url, md5, scratch, quiet)
        unpacked = scratch / "unpacked"
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")  # refuses members that leave the folder
            (folder,) = unpacked.iterdir()
            os.replace(folder, target)
        except (tarfile.TarError, ValueError, OSError, EOFError) as error:
            raise RequestError(f"the archive {url} could not be unpacked: {error}") from error


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder inside `parent` that is gone afterwards; `parent` too, if it stays empty."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=parent) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise RequestError(f"cannot write to {parent}: {error.strerror or error}") from error
    finally:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def fetch(url: str, md5: str, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder` with a progress bar and checks its md5."""
    import keras  # TensorFlow takes seconds to import: not before it is needed

    if quiet or not sys.stdout.isatty():
        keras.config.disable_interactive_logging()  # a bar is no use in a file
    if not quiet and not sys.stdout.isatty():
        print(f"Downloading {url}", flush=True)
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        path = keras.utils.get_file(
            origin=url,
            file_hash=md5,
            hash_algorithm="md5",
            cache_dir=str(folder),
            cache_subdir="fetched",
        )
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise RequestError(f"downloading {url} failed: {error}") from error
    finally:
        socket.setdefaulttimeout(patience)
    return Path(path)
