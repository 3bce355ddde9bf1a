"""Runs that are killed or stopped at any moment, taken up, and then equal to one that never was."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT
from tests.support.datasets import write_mnist
from tests.support.reading import only_run
from tests.support.running import FLAGS, all_of, end, kill_at, signal_at, start

# task.py, which kills itself where the first argument says.
KILLS_ITSELF = """
import os, pathlib, signal, sys
import task
from training import device

where, *arguments = sys.argv[1:]
choose_device, rename = device.choose_device, pathlib.Path.rename

def die(*given):
    os.kill(os.getpid(), signal.SIGKILL)

def rename_one_file(path, target):
    renamed = rename(path, target)
    if path.name.startswith(".saving."):
        die()
    return renamed

def choose_and_arm(*given):
    chosen = choose_device(*given)
    from runs import checkpoints, log
    if where == "before what no longer counts is removed":
        checkpoints.Checkpoints.tidy = die
    if where == "before the log is cut back":
        log.cut_back = die
    if where == "before the log is opened":
        log.RunLog.__init__ = die
    if where == "before a checkpoint has its index":
        pathlib.Path.rename = rename_one_file
    return chosen

device.choose_device = choose_and_arm
sys.exit(task.main(arguments))
"""
PLACES = (
    *("before a checkpoint has its index", "before what no longer counts is removed"),
    *("before the log is cut back", "before the log is opened"),
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with a tiny MNIST."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    return base


@pytest.fixture(scope="module")
def unbroken(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """All of a run that was left alone."""
    log_dir = tmp_path_factory.mktemp("unbroken")
    code, _, errors = end(start("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS))
    assert (code, errors) == (0, "")
    found = all_of(only_run(log_dir))
    assert len(found["train", "loss"]) == 200 // 7 + 1
    return found


def check_so_far(run: Path, unbroken: dict) -> None:
    """What a run that was killed has written, up to its last whole line, is as it should be."""
    for name, written in all_of(run).items():
        if name == "metrics":
            assert unbroken[name].startswith(written.rpartition("\n")[0])
        elif isinstance(written, list):
            assert written == unbroken[name][: len(written)]


def check_whole(process: subprocess.Popen, log_dir: Path, unbroken: dict) -> None:
    """Waits until the one run in a --log-dir, taken up by the process, ends, and compares."""
    run = only_run(log_dir)
    assert end(process)[::2] == (0, "")
    assert all_of(run) == unbroken
    assert (run / "summary.json").exists()
    assert not list(log_dir.rglob(".new-*"))


def check_killed(moments: list[int], log_dir: Path, data_dir: Path, unbroken: dict) -> None:
    """Kills a run at each of the moments, takes it up after each, and compares."""
    process = start("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS)
    for moment in moments:
        kill_at(process, log_dir, moment)
        check_so_far(only_run(log_dir), unbroken)
        process = start("--resume", only_run(log_dir))
    check_whole(process, log_dir, unbroken)


# 21 moments, each the seed of when it is. In two classes, so that both of the default's test
# processes have a share.
class TestKilled:
    """Kill −9, and up again, three times each."""

    @pytest.mark.parametrize("first", [0, 3, 6, 9])
    def test_equals_the_unbroken_run(self, first, tmp_path, data_dir, unbroken):
        check_killed([first, first + 1, first + 2], tmp_path, data_dir, unbroken)


class TestKilledOrStopped:
    """The others of the moments, and signals that a run answers."""

    @pytest.mark.parametrize("first", [12, 15, 18])
    def test_equals_the_unbroken_run(self, first, tmp_path, data_dir, unbroken):
        check_killed([first, first + 1, first + 2], tmp_path, data_dir, unbroken)

    def test_killed_while_it_begins_to_go_on(self, tmp_path, data_dir, unbroken):
        flags = ("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS)
        for where in PLACES:
            command = [sys.executable, "-c", KILLS_ITSELF, where, *map(str, flags)]
            assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL, where
            flags = ("--resume", only_run(tmp_path))
            if where == PLACES[0]:  # now that there is none, some are made
                kill_at(start(*flags), tmp_path, moment=2)
        check_whole(start(*flags), tmp_path, unbroken)

    @pytest.mark.parametrize(
        ("number", "code", "moment"),
        [(signal.SIGINT, 130, 200), (signal.SIGTERM, 143, 202), (signal.SIGHUP, 129, 204)],
    )
    def test_stopped(self, number, code, moment, tmp_path, data_dir, unbroken):
        process = start("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS, "--quiet")
        signal_at(process, tmp_path, moment, number)
        stopped, output, errors = end(process)
        assert (stopped, errors) == (code, "")
        run = only_run(tmp_path)
        assert output.endswith(f"go on with: python task.py --resume {run}\n")
        assert list((run / "checkpoints").glob("ckpt-*.index"))
        assert not (run / "summary.json").exists()
        check_whole(start("--resume", run), tmp_path, unbroken)
