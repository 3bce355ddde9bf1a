"""Sweeps of the real command: typed again, extended, killed, and stopped."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sweep
from errors import RequestError
from runs.folder import runs_below
from runs.history import METRICS
from tests.support.reading import read_json
from tests.support.sweeping import (
    flags_of,
    metrics_of,
    processes_below,
    start,
    sweep_here,
    wait_for_runs,
)


@pytest.fixture(scope="module")
def base(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the log of four runs of 60 steps, which two sweeps made at once, and a report.

    No run is in it twice, or `metrics_of` fails, and nothing that a sweep needs for a while.
    """
    base = tmp_path_factory.mktemp("sweep")
    flags = flags_of(data_dir, base, "--max-steps", "60")
    other = start([*flags, "--output", str(base / "other")])
    result = sweep_here(data_dir, base, "--max-steps", "60")
    _, errors = other.communicate(timeout=200)
    assert (result.returncode, result.stderr) == (other.returncode, errors) == (0, "")
    assert result.stdout.startswith("4 runs: 4 new; 2 at a time, 1 thread each\n")
    assert not list((base / "log").glob(".*"))
    return base


def test_a_sweep_answers_with_a_report(base):
    assert set(metrics_of(base)) == {(10, 0), (10, 1), (30, 0), (30, 1)}
    report = (base / "report" / "report.md").read_text()
    assert "task time 10" in report and "task time 30" in report


def test_the_same_command_runs_nothing_twice_and_a_seed_more_runs_that_alone(data_dir, base):
    before = {run: (run / METRICS).stat().st_mtime_ns for run in runs_below(base / "log")}
    # Where nothing is left to do, nobody needs to answer.
    result = sweep_here(data_dir, base, "--max-steps", "60", "--cluster", "127.0.0.1:9")
    assert result.stdout.startswith("4 runs: 4 done\n")
    result = sweep_here(data_dir, base, "--max-steps", "60", "--seeds", "0-2", "--dry-run")
    assert result.stdout.split("\n")[:4] == [
        "6 runs: 4 done, 2 new",
        *(f"done               task time 10, seed {seed}" for seed in (0, 1)),
        "new                task time 10, seed 2",
    ]
    listed = sweep_here(data_dir, base, "--max-steps", "60", "--seeds", "0-2", "--list").stdout
    assert [line.rpartition(" ")[2] for line in listed.splitlines()] == ["2", "2"]
    assert {run: (run / METRICS).stat().st_mtime_ns for run in runs_below(base / "log")} == before


def test_more_steps_extend_every_run_as_if_it_had_been_that_long(
    data_dir, base, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONINSPECT", "1")  # at whose prompt a run would wait for ever
    result = sweep_here(data_dir, base, "--max-steps", "90")
    assert result.returncode == 0
    assert result.stdout.startswith("4 runs: 4 to resume;")
    assert sweep_here(data_dir, tmp_path, "--max-steps", "90").returncode == 0
    assert metrics_of(base) == metrics_of(tmp_path)


def test_runs_that_are_killed_are_resumed(data_dir, tmp_path, whole):
    process = start(flags_of(data_dir, tmp_path, "--max-steps", "400"))
    os.kill(wait_for_runs(process, tmp_path, 1)[0], signal.SIGKILL)
    for run in wait_for_runs(process, tmp_path, 3):  # two at once
        os.kill(run, signal.SIGKILL)
    _, errors = process.communicate(timeout=200)
    assert (process.returncode, errors) == (0, "")
    assert metrics_of(tmp_path) == whole


def test_a_sweep_that_is_killed_goes_on(data_dir, tmp_path, whole):
    """It is killed at ten moments: while runs load, begin, train and end."""
    flags = flags_of(data_dir, tmp_path, "--max-steps", "400")
    draws = random.Random(12)
    children = []
    for moment in range(10):
        process = start(flags)
        wait_for_runs(process, tmp_path, moment // 3)
        time.sleep(draws.uniform(0, 0.5))
        children += processes_below(process.pid)
        process.kill()
        process.communicate()
    _, errors = start(flags).communicate(timeout=200)
    assert errors == ""
    assert metrics_of(tmp_path) == whole
    for child in children:
        assert not Path(f"/proc/{child}").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_every_run(number, code, data_dir, tmp_path, whole):
    flags = flags_of(data_dir, tmp_path, "--max-steps", "400")
    other = {signal.SIGINT: signal.SIGTERM, signal.SIGTERM: signal.SIGINT}[number]
    process = start(flags, ignored=other)
    children = wait_for_runs(process, tmp_path, 2)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (code, "")
    assert "the runs save and end; Ctrl-C again ends them at once\nstopped, 0 of 4 runs" in output
    assert "; the same command goes on: python sweep.py --data-dir" in output
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    if number is signal.SIGTERM:
        start(flags).communicate(timeout=200)
        assert metrics_of(tmp_path) == whole


def test_a_failure_is_told_and_ends_the_rest_only_when_asked(data_dir, tmp_path):
    flags = ("--max-steps", "60", "--norm", "none", "--vary", "learning-rate=1e30,0.1")
    result = sweep_here(data_dir, tmp_path, *flags, "--seeds", "0")
    assert result.returncode == 1
    failed = [line for line in result.stdout.splitlines() if line.startswith("failed")]
    assert len(failed) == 2 and all("the loss of task id became" in line for line in failed)
    assert result.stdout.count("done  ") == 2
    one_at_a_time = ("--seeds", "7", "--at-once", "1", "--stop-at-failure")
    result = sweep_here(data_dir, tmp_path, *flags, *one_at_a_time)
    assert result.returncode == 1
    assert "done  " not in result.stdout


def test_sweeps_in_a_notebook(data_dir, base):
    flags = flags_of(data_dir, base, "--max-steps", "90")
    with ThreadPoolExecutor() as threads:  # in which Python handles no signals
        folders = threads.submit(sweep.run, flags).result()
    with pytest.raises(RequestError, match=r"sweep\.run makes the runs"):
        sweep.run([*flags, "--dry-run"])
    settings = [read_json(folder / "config.json")["settings"] for folder in folders]
    assert [(each["task_time"], each["seed"]) for each in settings] == [
        *((10, 0), (10, 1), (30, 0), (30, 1))
    ]
