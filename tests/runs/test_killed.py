"""Runs that are killed or stopped at any moment and resumed: equal to a run that never was."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT
from tests.support.reading import only_run, read_log, read_metrics
from tests.support.running import FLAGS, end, kill_at, signal_at, start, wait_for_evaluations

# task.py, which kills itself at the place that the first argument names.
KILLS_ITSELF = """
import os, pathlib, signal, sys
import task
from training import device

place, *arguments = sys.argv[1:]
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
    if place == "before obsolete checkpoints are removed":
        checkpoints.Checkpoints.tidy = die
    if place == "before the log is truncated":
        log.truncate = die
    if place == "before the log is opened":
        log.RunLog.__init__ = die
    if place == "before the last picture":
        from reports import picture
        picture.draw_run = die
    if place == "before the summary":
        task.write_results = die
    if place == "before a checkpoint has its index":
        pathlib.Path.rename = rename_one_file
    return chosen

device.choose_device = choose_and_arm
sys.exit(task.main(arguments))
"""
PLACES = (
    *("before a checkpoint has its index", "before obsolete checkpoints are removed"),
    *("before the log is truncated", "before the log is opened"),
    *("before the last picture", "before the summary"),
)


@pytest.fixture(scope="module")
def whole(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The log of a run that was never interrupted."""
    log_dir = tmp_path_factory.mktemp("whole")
    code, _, errors = end(start("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS))
    assert (code, errors) == (0, "")
    found = read_log(only_run(log_dir))
    assert len(found["train", "loss/train"]) == 200 // 7 + 1
    return found


def check_log_so_far(run: Path, whole: dict) -> None:
    """Compares what a killed run has logged, up to its last whole line, with the whole run."""
    for name, written in read_log(run).items():
        if name == "metrics":
            assert whole[name].startswith(written.rpartition("\n")[0])
        elif isinstance(written, list):
            assert written == whole[name][: len(written)]


def check_resumed(process: subprocess.Popen, log_dir: Path, whole: dict) -> None:
    """Waits until a process ends that resumes the only run in a --log-dir, and compares."""
    run = only_run(log_dir)
    assert end(process)[::2] == (0, "")
    assert read_log(run) == whole
    assert (run / "summary.json").exists()
    assert not list(log_dir.rglob(".new-*"))


def check_killed(moments: list[int], log_dir: Path, data_dir: Path, whole: dict) -> None:
    """Kills a run at each of the moments, resumes it after each, and compares."""
    process = start("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS)
    for moment in moments:
        kill_at(process, log_dir, moment)
        check_log_so_far(only_run(log_dir), whole)
        process = start("--resume", only_run(log_dir))
    check_resumed(process, log_dir, whole)


# 21 moments, each the seed of when it is. In two classes, so that both of the default's test
# processes have a share.
class TestKilled:
    """Runs that are killed three times each."""

    @pytest.mark.parametrize("first", [0, 3, 6, 9])
    def test_equals_the_whole_run(self, first, tmp_path, data_dir, whole):
        check_killed([first, first + 1, first + 2], tmp_path, data_dir, whole)


class TestKilledOrStopped:
    """The other moments, kills at the worst places, and signals that a run handles."""

    @pytest.mark.parametrize("first", [12, 15, 18])
    def test_equals_the_whole_run(self, first, tmp_path, data_dir, whole):
        check_killed([first, first + 1, first + 2], tmp_path, data_dir, whole)

    def test_killed_while_it_saves_or_resumes(self, tmp_path, data_dir, whole):
        flags = ("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS)
        for place in PLACES:
            command = [sys.executable, "-c", KILLS_ITSELF, place, *map(str, flags)]
            assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL, place
            flags = ("--resume", only_run(tmp_path))
            if place == PLACES[0]:  # which leaves no checkpoint; the other places need some
                kill_at(start(*flags), tmp_path, moment=2)
        check_resumed(start(*flags), tmp_path, whole)

    def test_stopped_by_each_signal_in_turn(self, tmp_path, data_dir, whole):
        process = start("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS, "--quiet")
        for number, code, moment in (
            (signal.SIGINT, 130, 201),
            (signal.SIGTERM, 143, 202),
            (signal.SIGHUP, 129, 203),
        ):
            signal_at(process, tmp_path, moment, number)
            stopped, output, errors = end(process)
            assert (stopped, errors) == (code, "")
            run = only_run(tmp_path)
            command = re.escape(f"python task.py --resume {run}\n")
            message = re.fullmatch(rf"stopped after (\d+) steps; resume with: {command}", output)
            assert message, output
            assert (run / "checkpoints" / f"ckpt-{message[1]}.index").exists()
            assert all(line["step"] <= int(message[1]) for line in read_metrics(run))
            assert not (run / "summary.json").exists()
            process = start("--resume", run, "--quiet")
        check_resumed(process, tmp_path, whole)

    def test_a_second_signal_ends_the_run_at_once(self, tmp_path, data_dir):
        flags = ("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS, "--max-steps", "10000000")
        process = start(*flags)
        wait_for_evaluations(process, tmp_path, 3)
        while process.poll() is None:  # the first is deferred, any other ends the run
            process.send_signal(signal.SIGTERM)
        code, _, errors = end(process)
        assert code in (143, -signal.SIGTERM)  # the latter where Python itself was ending
        run = only_run(tmp_path)
        advice = f"resume from the last checkpoint with: python task.py --resume {run}"
        assert errors in (f"task.py: stopped; {advice}\n", "")
        assert not (run / "summary.json").exists()
