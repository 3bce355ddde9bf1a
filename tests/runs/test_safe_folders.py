"""Runs' folders with odd names, links, copies, missing parts, and clocks that jump."""

import errno
import fcntl
import math
import os
import shutil
import subprocess
from pathlib import Path
from stat import S_ISREG
from types import SimpleNamespace
from unittest.mock import patch

import pytest

import evaluate
import report
from runs import checkpoints, log
from runs.checkpoints import Checkpoints, Progress, saved_in
from tests.support.command import one_line, run_here
from tests.support.fuzzing import snapshot
from tests.support.reading import change_settings, only_run, read_log
from tests.support.running import start, wait_for_evaluations

FLAGS = (
    *("--batch", "5", "--test-frequency", "4", "--train-summary-frequency", "3", "--filters", "2"),
    *("--checkpoint-frequency", "4", "--tasks", "id", "ref", "--task-time", "4"),
)
LONGER = ("--max-steps", "14")


def run_for(steps: int, data_dir: Path, log_dir: Path, *flags: str) -> Path:
    """Runs so many steps; returns the run's folder."""
    flags = ("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS, *flags, "--max-steps", steps)
    result = run_here(*flags)
    assert (result.returncode, result.stderr) == (0, "")
    return only_run(log_dir)


@pytest.fixture(scope="module")
def whole(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The log of a run of 14 steps."""
    return read_log(run_for(14, data_dir, tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of ten steps, with a profile."""
    flags = ("--trace", "--train-metadata-frequency", "6")
    return run_for(10, data_dir, tmp_path_factory.mktemp("log"), *flags)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize(
    "name", ["a[b]", "[!a]*?", "back\\slash", "{a,b}", "%d $HOME ~", "ä'\" \n"]
)
def test_any_name_of_a_folder(name, run, whole):
    moved = run.rename(run.with_name(name))
    assert run_here("--resume", moved, *LONGER).returncode == 0
    assert read_log(moved) == whole
    assert run_here(moved, main=evaluate.main).returncode == 0


def test_a_name_that_is_not_utf_8(run):
    moved = run.rename(run.with_name("\udcff"))
    result = run_here("--resume", moved, *LONGER)
    assert result.returncode == 2
    assert "has a name that is not UTF-8" in one_line(result)
    assert run_here(moved, main=evaluate.main).returncode == 0


def test_a_run_begins_below_a_folder_whose_name_is_a_pattern(data_dir, tmp_path, whole):
    run = run_for(10, data_dir, tmp_path / "[x]\\")
    assert run_here("--resume", run, *LONGER).returncode == 0
    assert read_log(run) == whole


def at(clock: float) -> patch:
    """Sets the clock by which event files are named."""
    return patch.object(log, "time", SimpleNamespace(time=lambda: clock))


@pytest.mark.parametrize("clocks", [(2e9, 1e9, 0.0), (1e9, 1e9, 1e9), (1e9, 2e9, 1.5e9)])
def test_curves_are_in_order_whatever_the_clock(clocks, data_dir, tmp_path, whole):
    with at(clocks[0]):
        run = run_for(5, data_dir, tmp_path)
    for clock, steps in zip(clocks[1:], ("10", "14"), strict=True):
        with at(clock):
            assert run_here("--resume", run, "--max-steps", steps).returncode == 0
    assert read_log(run) == whole


@pytest.mark.parametrize("remove", ["the folder", "its files"])
def test_a_log_without_its_checkpoints_is_not_deleted(remove, run):
    shutil.rmtree(run / "checkpoints")
    if remove == "its files":
        (run / "checkpoints").mkdir()
    before = snapshot(run)
    result = run_here("--resume", run, *LONGER)
    assert result.returncode == 2
    assert "has no checkpoint to resume from, and was trained" in one_line(result)
    assert snapshot(run) == before | {run / ".lock": (run / ".lock").read_bytes()}


def test_checkpoints_that_cannot_be_read_are_not_taken_for_missing(run):
    def scan(path):
        if path == run / "checkpoints":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    scandir, before = os.scandir, snapshot(run)
    with patch.object(checkpoints, "os", SimpleNamespace(**vars(os) | {"scandir": scan})):
        result = run_here("--resume", run, *LONGER)
    assert result.returncode == 2
    assert f"{run / 'checkpoints'} cannot be read (Permission denied)" in one_line(result)
    assert snapshot(run) == before | {run / ".lock": (run / ".lock").read_bytes()}


def test_the_lock_holds_though_its_file_is_removed(data_dir, tmp_path):
    process = start(
        *("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS, "--max-steps", "10000000")
    )
    try:
        wait_for_evaluations(process, tmp_path, 1)
        run = only_run(tmp_path)
        (run / ".lock").unlink()
        result = run_here("--resume", run)
        assert result.returncode == 2
        assert f"{run} is in use by another process" in one_line(result)
    finally:
        process.kill()
        process.communicate()


def test_a_copy_of_hard_links_leaves_the_original_as_it_is(run, whole):
    copy = Path(shutil.copytree(run, run.with_name("copy"), copy_function=os.link))
    before = snapshot(run)
    # Resumed from the first of its checkpoints, its event files are truncated.
    (copy / "checkpoints" / "ckpt-10.index").unlink()
    (copy / "summary.json").unlink()
    assert run_here("--resume", copy, *LONGER).returncode == 0
    assert read_log(copy) == whole
    assert snapshot(run) == before


PLACES = (".lock", "config.json", "metrics.jsonl", "summary.json", "test", "train/events*")
PLACES += ("checkpoints", "checkpoints/ckpt-10.index", "checkpoints/checkpoint", "train/plugins")


@pytest.mark.parametrize("place", PLACES)
def test_no_link_in_a_folder_is_followed(place, run):
    (path,) = run.glob(place)
    elsewhere = path.rename(run.with_name("elsewhere"))
    path.symlink_to(elsewhere)
    before = snapshot(run.parent)
    result = run_here("--resume", run, *LONGER)
    assert result.returncode == 2
    assert f"{path} is a link" in one_line(result)
    assert snapshot(run.parent) == before


@pytest.mark.parametrize("place", PLACES)
def test_no_pipe_in_a_folder_is_opened(place, run):
    (path,) = run.glob(place)
    path.rename(run.with_name("elsewhere"))
    os.mkfifo(path)
    result = run_here("--resume", run, *LONGER)
    assert result.returncode == 2
    assert str(path) in one_line(result)


def test_remains_of_killed_processes_are_removed(run):
    for folder in (run, run / "checkpoints"):
        (folder / ".new-123").write_text("half")
    assert run_here("--resume", run, *LONGER).returncode == 0
    assert not [*run.rglob(".new-*")]


def test_a_checkpoint_is_read_while_its_run_saves_others(run):
    """The last checkpoints are replaced between the look at the folder and the reading."""
    folder = run / "checkpoints"

    def read_late(path, *arguments):
        if path.name == "ckpt-10":
            for suffix in (".index", ".data-00000-of-00001"):
                (folder / f"ckpt-10{suffix}").rename(folder / f"ckpt-12{suffix}")
            for late in folder.glob("ckpt-8.*"):
                late.unlink()
        return read(path, *arguments)

    read = checkpoints.read
    with patch.object(checkpoints, "read", read_late):
        result = run_here(run, "--quiet", main=evaluate.main)
    assert (result.returncode, result.stderr) == (0, "")
    assert [path.name for path in saved_in(run)] == ["ckpt-12"]


def test_weights_that_are_not_finite_are_not_resumed_from(run, whole, monkeypatch):
    def save(saving: Checkpoints, progress: Progress) -> None:
        saving.saved.trunk.variables[0].assign(saving.saved.trunk.variables[0] * math.nan)
        save_sound(saving, progress)

    save_sound = Checkpoints.save
    with monkeypatch.context() as damage:
        damage.setattr(Checkpoints, "save", save)
        assert run_here("--resume", run, "--max-steps", "11").returncode == 0
    (run / "summary.json").unlink()
    result = run_here("--resume", run, *LONGER)
    assert result.returncode == 0
    assert "weights that are not finite" in result.stderr and "ckpt-10 is used" in result.stderr
    assert read_log(run) == whole


@pytest.mark.parametrize(("lockable", "code"), [(S_ISREG, 0), (lambda mode: False, 2)])
def test_file_systems_that_lock_only_files_or_nothing(lockable, code, run, monkeypatch):
    def flock(descriptor: int, operation: int) -> None:
        if not lockable(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    result = run_here("--resume", run, *LONGER)
    assert result.returncode == code
    if code:
        assert f"{run} is on a file system without locks" in one_line(result)


STRAY = (
    *("mine/events.out.tfevents.1.mine", "train/events.out.tfevents.1", "notes.txt"),
    *("checkpoints/ckpt-best/keep", "checkpoints/ckpt-backup.zip", ".new-1-1/whole"),
    *("train/plugins/profile/.DS_Store", "train/plugins/profile/mine/host.xplane.pb"),
    *("train/events.out.tfevents.5/file", "checkpoints/.new-1-1/file"),
)


def test_what_is_not_the_runs_stays_and_does_not_stop_it(run, whole):
    for name in STRAY:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("theirs")
    result = run_here("--resume", run, *LONGER)
    assert (result.returncode, result.stderr) == (0, "")
    assert [(run / name).read_text() for name in STRAY] == ["theirs"] * len(STRAY)
    for name in ("mine", ".new-1-1"):
        shutil.rmtree(run / name)
    (run / "train" / "events.out.tfevents.1").unlink()
    assert read_log(run) == whole


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_checkpoint_that_may_not_be_read_is_not_taken_for_damaged(suffix, run, monkeypatch):
    def open_allowed(path: Path, *arguments: object, **named: object) -> object:
        if path.name == f"ckpt-10{suffix}":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_any(path, *arguments, **named)

    before, open_any = snapshot(run), Path.open
    monkeypatch.setattr(Path, "open", open_allowed)
    result = run_here("--resume", run, *LONGER)
    monkeypatch.undo()
    assert result.returncode == 2
    assert f"ckpt-10{suffix} cannot be read (Permission denied)" in one_line(result)
    assert snapshot(run) == before | {run / ".lock": (run / ".lock").read_bytes()}


def test_the_current_folder_need_not_be_readable(run, whole, monkeypatch):
    def open_allowed(path: object, flags: int, *arguments: object, **named: object) -> int:
        if path == "." and not flags & os.O_PATH:
            raise PermissionError(errno.EACCES, "Permission denied", ".")
        return open_any(path, flags, *arguments, **named)

    open_any = os.open
    monkeypatch.setattr(os, "open", open_allowed)
    assert run_here("--resume", run, *LONGER).returncode == 0
    assert read_log(run) == whole


def test_a_moved_run_does_not_need_the_place_of_its_log(run, whole, tmp_path):
    (tmp_path / "file").touch()
    change_settings(log_dir=str(tmp_path / "file" / "log"))(run)
    assert run_here("--resume", run, *LONGER).returncode == 0
    assert read_log(run) == whole


def test_a_very_deep_folder_is_no_hindrance(run, whole):
    # Python's own functions fail at such a depth.
    subprocess.run(["mkdir", "-p", f"{run}/mine/" + "d/" * 1_100], check=True)
    try:
        assert run_here("--resume", run, *LONGER).returncode == 0
        result = run_here(run / "mine", main=report.main)
    finally:
        subprocess.run(["rm", "-r", run / "mine"], check=True)
    assert result.returncode == 2
    assert "it has no config.json" in one_line(result)
    assert read_log(run) == whole


@pytest.mark.parametrize("place", ["config.json", "metrics.jsonl", "checkpoints/ckpt-10.index"])
def test_an_evaluation_replaces_no_file_of_the_run(place, run):
    before = snapshot(run)
    result = run_here(run, "--output", run / place, main=evaluate.main)
    assert result.returncode == 2
    assert "is a file of the run itself" in one_line(result)
    assert snapshot(run) == before


def test_nested_brackets_are_no_summary(run, whole):
    (run / "summary.json").write_text("[" * 100_000)
    assert run_here("--resume", run, *LONGER).returncode == 0
    assert read_log(run) == whole
