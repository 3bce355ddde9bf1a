"""The start of a new run, which two sweeps may want at the same moment, and its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from runs.folder import InUse
from sweeps import process
from sweeps.options import read_options
from sweeps.plan import Job, Status
from sweeps.process import Outcome, Stop
from sweeps.start import open_locked, path_of, remove_abandoned_starts, start_locked
from sweeps.trials import Trial, make_trials


def trials_of(log_dir: Path, *flags: str) -> list[Trial]:
    return make_trials(read_options(["--fake-data", "--log-dir", str(log_dir), *flags]))


def test_only_one_sweep_holds_the_start_of_a_run(tmp_path):
    first, second = trials_of(tmp_path, "--seeds", "0-1")
    (again,) = trials_of(tmp_path, "--threads", "2")
    (longer,) = trials_of(tmp_path, "--max-steps", "70")
    with start_locked(first):
        with pytest.raises(InUse, match="is in use by another sweep"), start_locked(again):
            pass
        with start_locked(second), start_locked(longer):
            pass
    with start_locked(again):
        pass
    assert not list(tmp_path.iterdir())


def test_the_start_is_held_as_long_as_the_run_of_a_killed_sweep_lives(tmp_path):
    (trial,) = trials_of(tmp_path)
    holder = open_locked(path_of(trial))  # as by a sweep that is killed, which removes nothing
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[holder]) as run:
        os.close(holder)
        with pytest.raises(InUse), start_locked(trial):
            pass
        remove_abandoned_starts(tmp_path)
        assert path_of(trial).exists()
        run.kill()
    remove_abandoned_starts(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_lock_whose_file_is_gone_is_not_held(tmp_path, monkeypatch):
    """The file is removed by its holder between being opened and locked here."""
    path = tmp_path / "lock"

    def removed_meanwhile(descriptor: int) -> None:
        monkeypatch.undo()
        path.unlink()

    monkeypatch.setattr("sweeps.start.lock", removed_meanwhile)
    os.close(open_locked(path))
    assert path.exists()


def test_a_start_that_cannot_be_locked_is_left_to_the_run(tmp_path):
    (trial,) = trials_of(tmp_path / "gone")
    with start_locked(trial) as inherited:
        assert inherited == ()


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([(0, "")], Outcome(1, None, "its folder is gone")),
        ([(1, "full")], Outcome(1, None, "full")),
        ([(-9, ""), (-9, ""), (143, ""), (2, "wrong")], Outcome(2, None, "wrong")),
        ([(2, "x is in use by process 7"), (2, "wrong")], Outcome(2, None, "wrong")),
        ([(-9, "")] * 4, Outcome(-9, None, "")),
        ([OSError(24, "Too many")], Outcome(1, None, "its process cannot be started (Too many)")),
    ],
)
def test_the_ends_of_runs(ends, outcome, tmp_path, monkeypatch):
    def run_once(*arguments: object) -> tuple[int, str]:
        end = ends.pop(0)
        if isinstance(end, OSError):
            raise end
        return end

    monkeypatch.setattr(process, "run_once", run_once)
    (trial,) = trials_of(tmp_path)
    job = Job(trial, None, Status.NEW)
    assert process.run(job, Stop(Event(), Event()), {}, new_session=True) == outcome
    assert not ends


def test_a_run_that_was_started_while_its_start_was_waited_for_is_resumed(tmp_path, monkeypatch):
    (trial,) = trials_of(tmp_path)
    found = [None, tmp_path / "run", tmp_path / "run"]
    monkeypatch.setattr(process, "find_run", lambda trial: found.pop(0))
    monkeypatch.setattr(process, "run_once", lambda job, *_: (0, " ".join(job.flags)))
    job = Job(trial, None, Status.NEW)
    outcome = process.run(job, Stop(Event(), Event()), {}, new_session=True)
    assert outcome.error.startswith(f"--resume {tmp_path / 'run'} ")


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        (1, "the disk is full", "the disk is full"),
        (1, "", "it ended with exit code 1"),
        (-signal.SIGKILL, "W0000 cuda", "it was killed by SIGKILL each time; was the memory full?"),
        (-signal.SIGSEGV, "", "it was killed by SIGSEGV each time"),
        (143, "", "it was killed by SIGTERM each time"),
        (250, "", "it ended with exit code 250"),
    ],
)
def test_the_reason_of_a_failure(code, error, reason):
    assert Outcome(code, None, error).reason == reason
