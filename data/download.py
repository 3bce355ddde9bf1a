"""Downloads missing data into the user's cache folder: complete and verified, or not at all."""

import os
import shutil
import socket
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

from command import is_terminal, print_note
from data.catalog import DatasetFacts
from data.files import text_of
from errors import RequestError

# Seconds of silence after which a host counts as unreachable.
TIMEOUT = 30
# Seconds before each retry of a failed download.
PAUSES = (1, 2)
# HTTP statuses after which a retry would not help.
REFUSALS = (401, 403, 404, 410)
# Ten times the unpacked size of the largest archive, in bytes: more could only fill the disk.
MOST_UNPACKED = 2 << 30


def cache_folder() -> Path:
    """Returns the folder of this program's data: $XDG_CACHE_HOME/multiple-tasks or ~/.cache/….

    Raises:
        RequestError: the user has no home folder.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # the XDG specification says to ignore such a path
        try:
            base = Path.home() / ".cache"
        except RuntimeError as error:
            raise RequestError(
                "there is no home folder to keep data in; name a folder for it in XDG_CACHE_HOME, "
                "or the folder that holds the data with --data-dir"
            ) from error
    return base / "multiple-tasks"


def dataset_folder(facts: DatasetFacts, data_dir: Path | None) -> Path:
    """Returns the folder of a dataset in `data_dir`; in the cache folder if that is None."""
    return (data_dir or cache_folder()) / facts.folder


def not_found(
    facts: DatasetFacts, wanted: object, remedy: str = "leave --data-dir out to download the data"
) -> RequestError:
    """Returns the error for a dataset of which the file or folder `wanted` is missing."""
    place = f"name the folder that holds {facts.folder}/ with --data-dir"
    if facts.folder_flag:
        place = f"name the folder that holds them with {facts.folder_flag}"
    ways = f", {remedy}, or use --fake-data" if facts.can_be_drawn else f", or {remedy}"
    return RequestError(f"{facts.title} not found: looked for {wanted}; {place}{ways}")


def download(facts: DatasetFacts, url: str, md5: str, target: Path, quiet: bool) -> None:
    """Downloads one file to `target`, which appears only once it is complete and its md5 agrees.

    Raises:
        RequestError: it could not be downloaded or written, or its md5 differs.
    """
    with fetched(facts, url, md5, target, quiet) as whole:
        with whole.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(whole, target)


def download_folder(facts: DatasetFacts, url: str, md5: str, target: Path, quiet: bool) -> None:
    """Downloads a .tgz archive of a single folder to `target`, unless that is there already.

    Raises:
        RequestError: as for `download`, or the archive is damaged, unsafe, or not a single folder.
    """
    if target.is_dir():
        return
    with fetched(facts, url, md5, target, quiet) as archive:
        unpacked = archive.parent / "unpacked"
        try:
            unpack(archive, unpacked)
            inside = list(unpacked.iterdir())
            if len(inside) != 1 or not inside[0].is_dir():
                raise ValueError("it does not hold one folder and nothing else")
            os.sync()  # one call for perhaps ten thousand files
            try:
                os.replace(inside[0], target)
            except OSError:
                if not target.is_dir():  # another process may have put the same folder there
                    raise
        except Exception as error:  # on damaged archives tarfile raises nearly anything
            raise RequestError(
                f"the archive {url} could not be unpacked: {text_of(error)}"
            ) from error


@contextmanager
def fetched(facts: DatasetFacts, url: str, md5: str, target: Path, quiet: bool) -> Iterator[Path]:
    """Provides a downloaded file in a folder beside `target` that is removed afterwards.

    The folder around it stays: another process may be about to write there.

    Raises:
        RequestError: `target` is missing, with the error that occurred here or inside.
    """
    parent = target.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=parent) as scratch:
            yield fetch(url, md5, Path(scratch), quiet)
    except (OSError, RequestError) as error:
        unwritable = isinstance(error, OSError)
        reason = f"cannot write to {parent}: {error.strerror or error}" if unwritable else error
        raise not_found(facts, f"{target}, and {reason}", "connect to a network") from error


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a .tgz archive's plain files, and nothing else, into a new folder.

    tarfile's own filter for this is not in every Python that this program supports.

    Raises:
        ValueError: a file would lie outside the folder, or the files together are too large.
        Exception: the archive is damaged.
    """
    folder.mkdir()
    inside = folder.resolve()
    room, place = MOST_UNPACKED, -1
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            # After a negative size, some versions of tarfile read the same member again.
            if member.size < 0 or member.offset <= place:
                raise ValueError("it states impossible sizes")
            place = member.offset
            room -= tarfile.BLOCKSIZE + member.size  # with its header: empty files count as well
            if room < 0:
                raise ValueError(f"it holds more than {MOST_UNPACKED:,} bytes")
            path = folder / member.name
            if not path.resolve().is_relative_to(inside):
                raise ValueError(f"{member.name} would lie outside the folder")
            if member.isfile():
                path.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as source, path.open("wb") as file:
                    shutil.copyfileobj(source, file)


def fetch(url: str, md5: str, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder` and checks its md5; retries with a note if that fails.

    Raises:
        RequestError: every try failed, or the host refused.
    """
    if not (quiet or is_terminal()):
        print(f"Downloading {url}", flush=True)
    for pause in (*PAUSES, None):
        try:
            return fetch_once(url, md5, folder, quiet)
        except Exception as error:  # Keras raises a bare Exception for a failed download
            # `get_file` raises a ValueError if the file is complete and its md5 differs.
            checksum = "wrong checksum: " if isinstance(error, ValueError) else ""
            failure = f"downloading {url} failed: {checksum}{text_of(error)}"
            cause = error.__context__  # Keras raises its own error while it handles this one
            refused = isinstance(cause, HTTPError) and cause.code in REFUSALS
            if refused or pause is None:
                raise RequestError(failure) from error
        print_note(f"{failure}; trying again in {pause} s")
        time.sleep(pause)


def fetch_once(url: str, md5: str, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder`, with a progress bar on a terminal, and checks its md5.

    Raises:
        ValueError: its md5 differs.
        Exception: it could not be downloaded.
    """
    import keras  # TensorFlow takes seconds to import

    if quiet or not is_terminal():
        keras.config.disable_interactive_logging()  # no progress bar in a file
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        path = keras.utils.get_file(
            origin=url,
            file_hash=md5,
            hash_algorithm="md5",
            cache_dir=str(folder),
            cache_subdir="fetched",
            force_download=True,  # an earlier try may have left a damaged file
        )
    finally:
        socket.setdefaulttimeout(timeout)
    return Path(path)
