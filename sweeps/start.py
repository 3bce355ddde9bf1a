"""The start of a new run, which several sweeps may want at the same moment: one makes it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from files import lock
from runs.folder import IN_USE, InUse
from sweeps.trials import Trial

STARTS = ".start-"  # how the names of the locks' files begin, in the folder of the log


@contextmanager
def start_locked(trial: Trial) -> Iterator[tuple[int, ...]]:
    """Keeps other sweeps from starting a trial's new run while this is open.

    Yields:
        The descriptor of the lock, which the run is to inherit: where its sweep is killed, the lock
        lasts until the run has ended. None where the folder of the log cannot be written, which
        the run itself reports.

    Raises:
        InUse: another sweep is starting the run.
    """
    path = path_of(trial)
    try:
        descriptor = open_locked(path)
    except BlockingIOError as error:
        raise InUse(f"{path} {IN_USE} another sweep") from error
    except OSError:
        yield ()
        return
    try:
        yield (descriptor,)
    finally:
        with suppress(OSError):
            path.unlink()  # before others can lock it, so that nobody locks a file that is gone
        os.close(descriptor)


def path_of(trial: Trial) -> Path:
    """Returns the path of the lock of a trial's start, the same in every sweep that asks for it."""
    key = repr((trial.identity, trial.settings.tasks))
    return trial.settings.log.log_dir / f"{STARTS}{sha256(key.encode()).hexdigest()[:32]}"


def open_locked(path: Path) -> int:
    """Creates a file where there is none, locks it, and returns its descriptor.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: it cannot be created.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            lock(descriptor)
            with suppress(FileNotFoundError):  # whoever had locked it has removed it
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def remove_abandoned_starts(log_dir: Path) -> None:
    """Removes the locks that killed sweeps have left."""
    for path in log_dir.glob(f"{STARTS}*"):
        with suppress(OSError):  # such as of one that is locked
            descriptor = open_locked(path)
            path.unlink()
            os.close(descriptor)
