"""Fetching what is missing into the user's cache folder: whole and checked, or not at all."""

import os
import shutil
import socket
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

from command import is_terminal
from errors import RequestError

# A host that says nothing for this long, in seconds, is taken to be out of reach.
TIMEOUT = 30
# What fails is tried again after each of these pauses, in seconds.
PAUSES = (1, 2)
# What a host says where asking again would not help.
REFUSALS = (401, 403, 404, 410)
# Ten times what the largest of the archives holds, in bytes: one that holds more would do harm.
MOST_UNPACKED = 2 << 30


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
        whole = fetch(url, md5, scratch, quiet)
        with whole.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(whole, target)


def download_archive(url: str, md5: str, target: Path, quiet: bool) -> None:
    """Downloads a .tgz archive that holds one folder, which becomes `target`, whole or not at all.

    Raises:
        RequestError: as for `download`, or the archive does not hold one folder and nothing else.
    """
    with scratch_folder(target.parent) as scratch:
        archive = fetch(url, md5, scratch, quiet)
        unpacked = scratch / "unpacked"
        try:
            unpack(archive, unpacked)
            inside = list(unpacked.iterdir())
            if len(inside) != 1 or not inside[0].is_dir():
                raise ValueError("it does not hold one folder and nothing else")
            os.sync()  # one call for what may be ten thousand files
            move(inside[0], target)
        except Exception as error:  # on damaged archives tarfile raises nearly anything
            raise RequestError(
                f"the archive {url} could not be unpacked: {in_words(error)}"
            ) from error


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a .tgz archive's plain files, and nothing else, inside the folder, which is new.

    tarfile's own filter for that is not in every Python that this program runs on.

    Raises:
        ValueError: a file would lie outside the folder, or all together would be too large.
        Exception: the archive is damaged; tarfile raises nearly anything then.
    """
    folder.mkdir()
    inside = folder.resolve()
    room, place = MOST_UNPACKED, -1
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            # Where a size is below 0, not every tarfile goes on to what follows, but back.
            if member.size < 0 or member.offset <= place:
                raise ValueError("it states sizes that cannot be")
            place = member.offset
            room -= tarfile.BLOCKSIZE + member.size  # with its header: empty files cost as well
            if room < 0:
                raise ValueError(f"it holds more than {MOST_UNPACKED:,} bytes")
            path = folder / member.name
            if not path.resolve().is_relative_to(inside):
                raise ValueError(f"{member.name} would lie outside the folder")
            if member.isfile():
                path.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as source, path.open("wb") as file:
                    shutil.copyfileobj(source, file)


def move(folder: Path, target: Path) -> None:
    """Gives the folder its place, unless another process has put the same there before."""
    try:
        os.replace(folder, target)
    except OSError:
        if not target.is_dir():
            raise


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder inside `parent` that is gone afterwards.

    `parent` stays, though it be empty: another process may be about to put something there.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=parent) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise RequestError(f"cannot write to {parent}: {error.strerror or error}") from error


def fetch(url: str, md5: str, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder` and checks its md5; what fails is tried again, and told.

    Raises:
        RequestError: no try succeeded, or the host refuses.
    """
    if not (quiet or is_terminal()):
        print(f"Downloading {url}", flush=True)
    pauses = iter(PAUSES)
    while True:
        try:
            return fetch_once(url, md5, folder, quiet)
        except Exception as error:  # Keras raises a bare Exception for a failed download
            failure = " ".join(f"downloading {url} failed: {reason_of(error)}".split())
            pause = None if is_refusal(error) else next(pauses, None)
            if pause is None:
                raise RequestError(failure) from error
        print(f"note: {failure}; it is tried again in {pause} s", file=sys.stderr, flush=True)
        time.sleep(pause)


def fetch_once(url: str, md5: str, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder`, with a progress bar on a terminal, and checks its md5.

    Raises:
        ValueError: its md5 is another.
        Exception: it could not be fetched.
    """
    import keras  # TensorFlow takes seconds to import: not before it is needed

    if quiet or not is_terminal():
        keras.config.disable_interactive_logging()  # a bar is no use in a file
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        path = keras.utils.get_file(
            origin=url,
            file_hash=md5,
            hash_algorithm="md5",
            cache_dir=str(folder),
            cache_subdir="fetched",
            force_download=True,  # an earlier try may have left what is wrong
        )
    finally:
        socket.setdefaulttimeout(patience)
    return Path(path)


def reason_of(error: Exception) -> str:
    """Why a try failed: `get_file` raises a ValueError where the file came whole, and is wrong."""
    return ("wrong checksum: " if isinstance(error, ValueError) else "") + in_words(error)


def in_words(error: Exception) -> str:
    """What an error says; its kind where it says nothing."""
    return str(error) or type(error).__name__


def is_refusal(error: Exception) -> bool:
    """Whether the host has answered that it will not give the file."""
    answer = error.__context__  # Keras tells the code in words, and raises while it handles this
    return isinstance(answer, HTTPError) and answer.code in REFUSALS
