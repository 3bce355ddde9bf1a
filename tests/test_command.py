"""The end of a command: its signals, outputs and errors."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from command import Interrupts, exit_code_of
from errors import Interrupted, RequestError, RunError
from tests.support.command import ROOT


def test_the_first_signal_is_deferred_and_the_second_ends_the_program() -> None:
    with Interrupts() as interrupts, interrupts.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.stopped()
        assert interrupts.received == signal.SIGTERM
        with pytest.raises(Interrupted) as caught:
            os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.signal_number == signal.SIGINT


def test_a_signal_that_is_not_deferred_ends_the_program() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        assert not interrupts.stopped()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def ignored_signal(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal that is ignored when the program starts."""
    before = signal.signal(request.param, signal.SIG_IGN)
    yield request.param
    signal.signal(request.param, before)


def test_only_the_signal_that_nohup_ignores_stays_ignored(ignored_signal: int) -> None:
    with Interrupts() as interrupts, interrupts.deferred():
        os.kill(os.getpid(), ignored_signal)
        assert interrupts.stopped() == (ignored_signal != signal.SIGHUP)
    assert signal.getsignal(ignored_signal) == signal.SIG_IGN


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (RequestError("--batch: too\nmany"), 2, "error: --batch: too many"),
        (RunError("the loss diverged"), 1, "failed: the loss diverged"),
        (OSError(28, "No space left"), 1, "failed: [Errno 28] No space left"),
        (MemoryError("4 GB"), 1, "failed: out of memory: 4 GB"),
        (
            ModuleNotFoundError("No module named 'rich'", name="rich"),
            1,
            "failed: rich is not installed; activate the environment with `. .venv/bin/activate` "
            "and install it with `pipenv sync`",
        ),
        (Interrupted(signal.SIGTERM), 143, "stopped"),
    ],
)
def test_errors_are_reported_in_one_line(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture
) -> None:
    def fail(interrupts: Interrupts) -> int:
        raise error

    assert exit_code_of("task.py", fail) == code
    assert tuple(capsys.readouterr()) == ("", f"task.py: {message}\n")


@pytest.mark.parametrize(
    ("output", "code", "errors"),
    [
        ("| head -c 1 > /dev/null", 0, ""),
        (">&-", 0, ""),
        ("> /dev/full", 1, "task.py: failed: [Errno 28] No space left on device\n"),
    ],
)
def test_output_that_cannot_be_written(output: str, code: int, errors: str) -> None:
    shell = f"set -o pipefail; {shlex.quote(sys.executable)} task.py --dry-run {output}"
    result = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (code, errors)
