"""One run of a sweep: a process of its own, which is started again where it is killed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from runs.folder import IN_USE, InUse
from sweeps.plan import Job, find_run, in_use
from sweeps.start import start_locked

CHILD = Path(__file__).with_name("child.py")
# Starts again of a run that was killed.
RESTARTS = 3
# Seconds between two looks at a process, and at a run that is running elsewhere.
POLL, WAIT = 0.1, 1.0
STOPPED = 143  # task.py's exit code after SIGTERM, also where a run was stopped before it had begun
FINAL = (0, 1, 2)  # exit codes of runs that ended by themselves


@dataclass(frozen=True)
class Stop:
    """Requests to end: in `saved`, once each run has saved; in `now`, at once."""

    saved: Event
    now: Event


@dataclass(frozen=True)
class Outcome:
    """The end of a run."""

    code: int  # task.py's exit code; negative for the signal that killed it
    folder: Path | None
    error: str  # the last line on standard error

    @property
    def reason(self) -> str:
        """The reason of a failure: what the run said, or what ended it."""
        number = -self.code if self.code < 0 else self.code - 128
        if number not in {*signal.Signals}:
            return self.error or f"it ended with exit code {self.code}"
        hint = "; was the memory full?" if number == signal.SIGKILL else ""
        return f"it was killed by {signal.Signals(number).name} each time{hint}"


def run(job: Job, stop: Stop, variables: Mapping[str, str], new_session: bool) -> Outcome:
    """Runs a job to its end, or until it is to stop.

    Args:
        variables: environment variables besides those of this process.
        new_session: keeps the signals of the terminal from the run; its sweep passes them on.
    """
    folder, kills = job.folder, 0
    while not stop.saved.is_set():
        folder = folder or find_run(job.trial)
        try:
            if folder and in_use(folder):
                raise InUse
            with nullcontext(()) if folder else start_locked(job.trial) as inherited:
                if not folder and find_run(job.trial):  # by whoever held the lock before
                    continue
                job = replace(job, folder=folder)
                code, error = run_once(job, stop, variables, new_session, inherited)
        except InUse:
            stop.saved.wait(WAIT)
            continue
        except OSError as error:
            return Outcome(1, folder, f"its process cannot be started ({error.strerror})")
        folder = folder or find_run(job.trial)
        if code == 2 and IN_USE in error:  # another process was faster
            continue
        kills += code not in FINAL
        if code in FINAL or kills > RESTARTS or stop.saved.is_set():
            gone = not code and not folder
            return Outcome(1, None, "its folder is gone") if gone else Outcome(code, folder, error)
    return Outcome(STOPPED, folder, "")


def run_once(
    job: Job,
    stop: Stop,
    variables: Mapping[str, str],
    new_session: bool,
    inherited: Sequence[int],
) -> tuple[int, str]:
    """Runs task.py once; returns its exit code and the last line of its standard error.

    Args:
        inherited: descriptors that stay open as long as the run lives.

    Raises:
        OSError: the process cannot be started.
    """
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, str(CHILD), *job.flags, "--quiet"],
            stdin=subprocess.PIPE,  # which stays open for as long as this process lives
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "PYTHONINSPECT": "", **variables},  # no prompt at the end
            start_new_session=new_session,
            pass_fds=inherited,
        ) as process,
    ):
        try:
            terminated = False
            while process.poll() is None:
                if stop.now.is_set():
                    process.kill()
                elif stop.saved.is_set() and not terminated:
                    process.terminate()
                    terminated = True
                time.sleep(POLL)
        except BaseException:  # a cancelled task of a cluster
            process.terminate()
            raise
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
        return process.returncode, lines[-1] if lines else ""
