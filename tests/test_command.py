"""The end of a command: its signals, outputs and errors."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import combinations
from pathlib import Path

import pytest

from command import Interrupts, Output, Parser, exit_code_of, print_note
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


def test_a_signal_that_the_parent_ignores_stays_ignored(ignored_signal: int) -> None:
    """As SIGHUP is under nohup, and SIGINT for `command &` in a script."""
    with Interrupts() as interrupts, interrupts.deferred():
        os.kill(os.getpid(), ignored_signal)
        assert not interrupts.stopped()
        interrupts.deferring = False
        os.kill(os.getpid(), ignored_signal)
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
        (
            ImportError("libtensorflow_cc.so.2: failed\nto map segment"),
            1,
            "failed: a library cannot be loaded (libtensorflow_cc.so.2: failed to map segment); "
            "free some memory, or install the environment again with `pipenv sync`",
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
        (
            "> /dev/full",
            1,
            "task.py: failed: the output cannot be written (No space left on device)\n",
        ),
    ],
)
def test_output_that_cannot_be_written(output: str, code: int, errors: str) -> None:
    shell = f"set -o pipefail; {shlex.quote(sys.executable)} task.py --dry-run {output}"
    result = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (code, errors)


@contextmanager
def full_outputs() -> Iterator[None]:
    """Makes both outputs those of a program whose disk is full, while this is open."""
    with (
        open("/dev/full", "w") as output,
        open("/dev/full", "w", buffering=1) as errors,
        redirect_stdout(Output(output)),
        redirect_stderr(Output(errors, required=False)),
    ):
        yield


def test_a_full_output_is_an_error_of_no_other_file() -> None:
    """Whoever reads or writes files reports their OSError; a print among them raises none."""
    expected = r"^the output cannot be written \(No space left"
    with full_outputs(), pytest.raises(RunError, match=expected):
        print("Decoding 9 pictures", flush=True)


def test_help_that_cannot_be_written_fails() -> None:
    with full_outputs():
        assert exit_code_of("task.py", lambda _: Parser().parse_args(["--help"])) == 1


def test_messages_that_cannot_be_written_change_no_exit_code() -> None:
    def refuse(interrupts: Interrupts) -> int:
        print_note("the cache is damaged")
        raise RequestError("--bad is unknown")

    with full_outputs():
        assert exit_code_of("task.py", refuse) == 2


def test_a_current_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert exit_code_of("task.py", lambda _: 0) == 2
    assert capsys.readouterr().err == (
        "task.py: error: the current folder is gone; change to another\n"
    )


COMMANDS = ("task.py", "evaluate.py", "report.py")
# In place of a module of the standard library that a command imports early, or one of ours.
EARLY_MODULES = ("argparse", "dataclasses", "pathlib")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a line of bash in the folder of the program; $PYTHON is the interpreter."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("variable", [{"PYTHONSAFEPATH": "1"}, {"PYTHONOPTIMIZE": "2"}])
def test_commands_start_under_pythons_own_variables(command: str, variable: dict) -> None:
    result = shell(f'cd / && "$PYTHON" {shlex.quote(str(ROOT / command))} --help', **variable)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: {command}")


@pytest.mark.parametrize("module", EARLY_MODULES)
@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_while_modules_are_imported(module: str, name: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(
        f"import os, signal\nos.kill(os.getpid(), signal.SIG{name})\n"
        # The signal has ended the program by now.
        "print('went on', flush=True)\n"
    )
    result = shell('"$PYTHON" task.py --help; exit $?', PYTHONPATH=str(tmp_path))
    assert result.returncode == 128 + getattr(signal, f"SIG{name}")
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


STREAMS = ("<&-", ">&-", "2>&-")
CLOSED = [each for n in (1, 2, 3) for each in combinations(STREAMS, n)]


@pytest.mark.parametrize("closed", CLOSED)
def test_no_file_takes_the_place_of_a_closed_stream(closed: tuple, tmp_path: Path) -> None:
    """It would receive what is printed; and what duplicates a stream would fail."""
    (tmp_path / "probe.py").write_text(
        "import os\n"
        "def main():\n"
        "    with open(os.environ['FOUND'], 'w') as file:\n"
        "        print('printed', flush=True)\n"
        "        os.close(os.dup(2))\n"
        "        file.write(str(file.fileno()))\n"
        "    return 0\n"
    )
    found = tmp_path / "found"
    program = "from program import run_program; run_program('probe')"
    result = shell(
        f'"$PYTHON" -c "{program}" {" ".join(closed)}',
        PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}",
        FOUND=str(found),
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == ("" if ">&-" in closed else "printed\n")
    assert int(found.read_text()) > 2


@pytest.mark.parametrize(
    ("option", "needed", "limit"), [("-v", 2**29, 2**28), ("-s", 2**20, 2**17)]
)
def test_limits_under_which_libraries_crash_are_refused(
    option: str, needed: int, limit: int
) -> None:
    program = f"from command import check_limits; check_limits({2**29})"
    result = shell(f'ulimit {option} {limit // 1024}; "$PYTHON" -c "{program}" 2>&1 | tail -n 1')
    assert result.stdout == (
        f"errors.RequestError: `ulimit {option}` allows {limit // 1024:,} KB, and the libraries "
        f"need {needed // 1024:,}; raise it\n"
    )
