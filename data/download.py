"""Downloads missing data into the user's cache folder: complete and verified, or not at all."""

import hashlib
import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

from rich.progress import wrap_file

from command import is_terminal, print_note
from data.catalog import DatasetFacts
from data.files import check_size, text_of
from errors import RequestError
from files import scratch_folder

# Seconds of silence after which a host counts as unreachable.
TIMEOUT = 30
# Seconds before each retry of a failed download.
PAUSES = (1, 2)
# HTTP statuses after which a retry would not help.
REFUSALS = (401, 403, 404, 410)
# Ten times the unpacked size of the largest archive, in bytes: more could only fill the disk.
MOST_UNPACKED = 2 << 30
# Bytes that are received at a time.
CHUNK = 1 << 16


class RemoteFile(NamedTuple):
    """A file to download."""

    url: str
    most_bytes: int  # its size, or where that is not known exactly, a little more
    md5: str


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


def download(facts: DatasetFacts, remote: RemoteFile, target: Path, quiet: bool) -> None:
    """Downloads one file to `target`, which appears only once it is complete and its md5 agrees.

    Raises:
        RequestError: it could not be downloaded or written, is too large, or its md5 differs.
    """
    with fetched(facts, remote, target, quiet) as whole:
        with whole.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(whole, target)


def download_folder(facts: DatasetFacts, remote: RemoteFile, target: Path, quiet: bool) -> None:
    """Downloads a .tgz archive of a single folder to `target`, unless that is there already.

    Raises:
        RequestError: as for `download`, or the archive is damaged, unsafe, or not a single folder.
    """
    if target.is_dir():
        return
    with fetched(facts, remote, target, quiet) as archive:
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
                f"the archive {remote.url} could not be unpacked: {text_of(error)}"
            ) from error


@contextmanager
def fetched(facts: DatasetFacts, remote: RemoteFile, target: Path, quiet: bool) -> Iterator[Path]:
    """Provides a downloaded file in a folder beside `target` that is removed afterwards.

    The folder around it stays: another process may be about to write there.

    Raises:
        RequestError: `target` is missing, with the error that occurred here or inside.
    """
    parent = target.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(parent) as scratch:
            yield fetch(remote, scratch, quiet)
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


def fetch(remote: RemoteFile, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder` and checks its md5; retries with a note if that fails.

    Raises:
        RequestError: every try failed, or the host refused.
    """
    if not (quiet or is_terminal()):
        print(f"Downloading {remote.url}", flush=True)
    for pause in (*PAUSES, None):
        try:
            return fetch_once(remote, folder, quiet)
        except (OSError, HTTPException, ValueError) as error:
            failure = f"downloading {remote.url} failed: {text_of(error)}"
            refused = isinstance(error, HTTPError) and error.code in REFUSALS
            if refused or pause is None:
                raise RequestError(failure) from error
        print_note(f"{failure}; trying again in {pause} s")
        time.sleep(pause)


def fetch_once(remote: RemoteFile, folder: Path, quiet: bool) -> Path:
    """Downloads a file into `folder`, with a progress bar on a terminal, and checks its md5.

    Raises:
        ValueError: it is larger than it should be, is incomplete, or its md5 differs.
        OSError, HTTPException: it could not be downloaded or written.
    """
    target, md5, size = folder / "fetched", hashlib.md5(usedforsecurity=False), 0
    with urlopen(remote.url, timeout=TIMEOUT) as response, target.open("wb") as file:
        expected = response.length or remote.most_bytes  # None where the host does not state it
        check_size(expected, remote.most_bytes)
        with wrap_file(
            response,
            expected,
            description="Downloading",
            transient=True,
            disable=quiet or not is_terminal(),
        ) as source:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                check_size(size, remote.most_bytes)
                md5.update(chunk)
                file.write(chunk)
        if response.length:
            raise ValueError(f"retrieval incomplete: {response.length:,} bytes are missing")
    if md5.hexdigest() != remote.md5:
        raise ValueError(f"wrong checksum: its md5 is {md5.hexdigest()}, expected {remote.md5}")
    return target
