"""Fetching what is missing into the user's cache folder: whole and checked, or not at all."""

import os
import shutil
import socket
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import RequestError
from terminal import is_terminal

# A host that says nothing for this long, in seconds, is taken to be out of reach.
TIMEOUT = 30


def cache_folder() -> Path:
    """Where this program keeps its data: $XDG_CACHE_HOME/multiple-tasks, or ~/.cache/….

    Raises:
        RequestError: the user has no home.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # the XDG specification says that such a path is to be ignored
        try:
            base = Path.home() / ".cache"
        except RuntimeError as error:
            raise RequestError(
                "there is no home folder to keep data in; name a folder for that in "
                "XDG_CACHE_HOME, and the data's own with --data-dir"
            ) from error
    return base / "multiple-tasks"


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
            unpack(archive, unpacked)
            (folder,) = unpacked.iterdir()
            os.replace(folder, target)
        except (tarfile.TarError, zlib.error, ValueError, OSError, EOFError) as error:
            raise RequestError(f"the archive {url} could not be unpacked: {error}") from error


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a tar archive's files, and nothing that is not a plain file, inside the folder.

    tarfile's own filter for that is not in every Python that this program runs on.

    Raises:
        ValueError: a file would lie outside the folder.
    """
    inside = folder.resolve()
    with tarfile.open(archive) as tar:
        for member in tar:
            path = folder / member.name
            if not path.resolve().is_relative_to(inside):
                raise ValueError(f"{member.name} would lie outside the folder")
            if member.isfile():
                path.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as source, path.open("wb") as file:
                    shutil.copyfileobj(source, file)


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

    if quiet or not is_terminal():
        keras.config.disable_interactive_logging()  # a bar is no use in a file
    if not (quiet or is_terminal()):
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
