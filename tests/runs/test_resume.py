"""--resume: the length of a run, what may change, what is refused, and the lock of the folder."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from runs.log import truncate
from settings import Settings
from tests.support.command import one_line, run_command, run_here
from tests.support.datasets import write_idx
from tests.support.fuzzing import snapshot
from tests.support.reading import change_settings, only_run, read_json, read_log
from tests.support.running import end, start, wait_for_evaluations

TINY = (
    *("--batch", "5", "--test-frequency", "4", "--train-summary-frequency", "3"),
    *("--checkpoint-frequency", "4"),
)
STITCHED = ("--network", "cross-stitch")
ID = ("--tasks", "id", "--filters", "2")


def run_on(data_dir: Path, log_dir: Path, *flags: object) -> Path:
    """Runs to the end on the data; returns the run's folder."""
    result = run_here("--data-dir", data_dir, "--log-dir", log_dir, *TINY, *flags)
    assert (result.returncode, result.stderr) == (0, "")
    return only_run(log_dir)


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of ten steps."""
    return run_on(data_dir, tmp_path_factory.mktemp("log"), *ID, "--max-steps", "10")


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize(
    "flags",
    [
        ("--tasks", "id", "noise", "--schedule", "random", "--optimizer", "adam", "--l2", "0.01"),
        ("--tasks", "id", "fashion", "--schedule", "joint", "--standardize", *STITCHED),
        # The first end becomes a switch of task.
        ("--tasks", "id", "ref", "--task-time", "10"),
    ],
    ids=["random", "joint", "cycle"],
)
def test_a_run_that_is_extended_shows_no_trace_of_its_first_end(data_dir, tmp_path, flags):
    whole = run_on(data_dir, tmp_path / "whole", *flags, "--max-steps", "17")
    parts = run_on(data_dir, tmp_path / "parts", *flags, "--max-steps", "10")
    first = (parts / "summary.json").read_text()
    result = run_here("--resume", parts, "--max-steps", "17")
    assert (result.returncode, result.stderr) == (0, "")
    assert "resumes   after 10 of 17 steps" in result.stdout
    assert "step 12/17" in result.stdout
    assert read_log(parts) == read_log(whole)
    assert (parts / "summary.json").read_text() == (whole / "summary.json").read_text() != first
    config, of_whole = (read_json(folder / "config.json") for folder in (parts, whole))
    for settings in (config["settings"], of_whole["settings"]):
        del settings["log_dir"]
    assert config["settings"] == of_whole["settings"]
    assert config["tasks"] == of_whole["tasks"]
    assert [entry["step"] for entry in config["resumed"]] == [10]
    assert "--max-steps 10" in config["command"]
    assert "--max-steps 17" in config["resumed"][0]["command"]


def test_a_resumed_run_has_no_results_of_its_first_end(tmp_path):
    for name in ("matrix.csv", "summary.json"):
        (tmp_path / name).write_text("of fewer steps")
    truncate(tmp_path, 0, {}, [])
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_an_older_run_on_all_tasks_is_resumed_on_the_sum_of_their_losses(
    data_dir, tmp_path, monkeypatch
):
    """Its config.json and its checkpoints do not say so."""
    flags = (
        *("--tasks", "id", "inv", "--network", "fc"),
        *("--schedule", "joint", "--joint-loss", "sum"),
    )
    whole = run_on(data_dir, tmp_path / "whole", *flags, "--max-steps", "8")
    with monkeypatch.context() as older:
        to_json = Settings.to_json

        def without_it(settings: Settings) -> dict:
            return {name: v for name, v in to_json(settings).items() if name != "joint_loss"}

        older.setattr(Settings, "to_json", without_it)
        parts = run_on(data_dir, tmp_path / "parts", *flags, "--max-steps", "4")
    assert "joint_loss" not in read_json(parts / "config.json")["settings"]
    result = run_here("--resume", parts, "--max-steps", "8")
    assert (result.returncode, result.stderr) == (0, "")
    assert read_log(parts) == read_log(whole)


def test_a_checkpoint_does_not_depend_on_the_names_of_the_networks_parts(
    data_dir, tmp_path, monkeypatch
):
    """Older runs have others."""
    flags = ("--tasks", "id", "inv", "--heads", "multi", "--network", "fc", "--optimizer", "adam")
    whole = run_on(data_dir, tmp_path / "whole", *flags, "--max-steps", "8")
    with monkeypatch.context() as older:
        older.setattr("model.Network.name_parts", lambda *_: None)
        parts = run_on(data_dir, tmp_path / "parts", *flags, "--max-steps", "4")
    assert run_here("--resume", parts, "--max-steps", "8").stderr == ""
    assert read_log(parts) == read_log(whole)


def test_a_run_of_epochs_is_extended_by_steps(data_dir, tmp_path):
    run = run_on(data_dir, tmp_path / "log", *ID, "--epochs", "1")
    assert read_json(run / "summary.json")["step"] == 8
    result = run_here("--resume", run, "--max-steps", "10")
    assert (result.returncode, result.stderr) == (0, "")
    assert read_json(run / "summary.json")["step"] == 10


def test_a_finished_run_stays_as_it_is(run):
    before = snapshot(run)
    result = run_command("--resume", run)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{run} is already finished; raise --max-steps to continue\n"
    lock = {run / ".lock": (run / ".lock").read_bytes()}
    assert snapshot(run) == before | lock


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--learning-rate", "0.2"), "--learning-rate: {run} was started with 0.1, and now it is"),
        (("--tasks", "id", "ref"), "--tasks: {run} was started with id, and now it is id ref"),
        (("--xla",), "--xla: {run} was started with nothing, and now it is on"),
        (("--data-dir", "tests"), "--data-dir: {run} was started with"),
        (("--checkpoint-frequency", "5"), "--checkpoint-frequency: {run} was started with 4"),
        (("--network", "encoder"), "--network: {run} was started with conv fc, and now it is enco"),
        (("--schedule", "joint"), "--schedule: {run} was started with cycle, and now it is joint;"),
        (("--filters", "8"), "--filters: {run} was started with 2, and now it is 8; leave"),
        (("--max-steps", "9"), "--max-steps 9: {run} is to train 10; name that or more"),
        (("--epochs", "3"), "--epochs: a run is resumed with --max-steps"),
        (("--threads", "0"), "--threads: expected a whole number, 1 to"),
        (("--network", "fc", "conv"), "--network: {run} was started with conv fc, and"),
    ],
)
def test_other_settings_are_refused(run, flags, message):
    result = run_here("--resume", run, *flags)
    assert result.returncode == 2
    assert message.format(run=run) in one_line(result)


def test_resumable_settings(run):
    threads = read_json(run / "config.json")["settings"]["threads"]
    flags = ("--max-steps", "12", "--threads", threads + 1, "--no-gpu")
    result = run_command("--resume", run, *flags, TF_ENABLE_ONEDNN_OPTS="0")
    assert (result.returncode, result.stderr) == (0, "")
    for change in (
        f"--threads {threads + 1} in place of {threads}",
        "ONEDNN_OPTS 0 in place of no",
    ):
        assert change in result.stdout
    settings = read_json(run / "config.json")["settings"]
    named = (settings["max_steps"], settings["threads"], settings["gpu"])
    assert named == (12, threads + 1, False)
    again = run_here("--resume", run, "--learning-rate", "0.1", "--dry-run")
    assert json.loads(again.stdout) == settings | {"quiet": False}


def truncate_checkpoints(run: Path) -> None:
    for path in (run / "checkpoints").glob("*.index"):
        path.write_bytes(path.read_bytes()[:-5])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "there is no such folder"),
        (lambda run: (run / "config.json").unlink(), "it has no config.json"),
        (lambda run: (run / "config.json").write_text("{"), "is not JSON"),
        (change_settings(checkpoint_frequency=None), "made by an older version"),
        (change_settings(batch=-3), "batch: expected a whole number, 1 to"),
        (change_settings(network=[3]), "network: expected text, got 3"),
        (change_settings(surprise=3), "surprise: there is no such setting in this version"),
        (change_settings(seed=3), "config.json has seed 3, and the run was saved with 0"),
        (change_settings(max_steps=9), "config.json has 9 as max_steps, and 10 are done"),
        (truncate_checkpoints, "damaged, or not of the network"),
    ],
)
def test_damaged_runs_are_refused(run, damage, message):
    (run / "summary.json").unlink()
    damage(run)
    result = run_here("--resume", run)
    assert result.returncode == 2
    assert message in one_line(result)


def test_other_data_is_refused(data_dir, tmp_path):
    data = Path(shutil.copytree(data_dir, tmp_path / "data"))
    run = run_on(data, tmp_path / "log", *ID, "--max-steps", "4")
    write_idx(data / "mnist" / "train-labels-idx1-ubyte", np.arange(40)[::-1] % 10)
    result = run_here("--resume", run, "--max-steps", "8")
    assert result.returncode == 2
    assert "was started on other data than what is now in MNIST from" in one_line(result)


def saved_names(run: Path) -> set[str]:
    """Returns the names in a run's folder of checkpoints, without suffixes."""
    return {path.name.partition(".")[0] for path in (run / "checkpoints").iterdir()}


def test_a_run_is_saved_before_it_logs_anything(data_dir, tmp_path):
    whole = run_on(data_dir, tmp_path / "whole", *ID, "--max-steps", "3")
    assert saved_names(whole) == {"checkpoint", "ckpt-0", "ckpt-3"}
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    for path in (run / "checkpoints").glob("ckpt-3.*"):
        path.rename(path.with_name(path.name.replace("ckpt-3", ".saving")))
    (run / "summary.json").unlink()
    assert "resumes   after 0 of 3 steps\n" in run_here("--resume", run).stdout
    assert read_log(run) == read_log(whole)
    assert saved_names(run) == {"checkpoint", "ckpt-0", "ckpt-3"}


@pytest.mark.parametrize("part", ["ckpt-10.index", "ckpt-10.data-00000-of-00001"])
def test_the_checkpoint_before_replaces_a_damaged_one(run, part):
    expected = read_log(run)
    (run / "checkpoints" / part).write_bytes(b"\0" * 100)
    (run / "summary.json").unlink()
    result = run_here("--resume", run, "--quiet")
    assert result.returncode == 0
    (note,) = result.stderr.splitlines()
    assert note.startswith("note: ")
    assert "ckpt-10" in note and "ckpt-8 is used" in note
    assert read_log(run) == expected
    assert saved_names(run) == {"checkpoint", "ckpt-8", "ckpt-10"}


def test_the_remains_of_an_interrupted_save_are_removed(run):
    checkpoints = run / "checkpoints"
    (checkpoints / "ckpt-12_temp").mkdir()
    (checkpoints / "ckpt-12.data-00000-of-00001").write_bytes(b"x")
    (checkpoints / "checkpoint").write_text('model_checkpoint_path: "../../elsewhere"\n')
    result = run_here("--resume", run, "--max-steps", "12", "--quiet")
    assert (result.returncode, result.stderr) == (0, "")
    assert saved_names(run) == {"checkpoint", "ckpt-10", "ckpt-12"}


def test_lost_points_are_reported(run):
    expected = read_log(run)
    (events,) = (run / "test").glob("events*")
    events.write_bytes(events.read_bytes()[:60])
    shutil.rmtree(run / "test_task_0_id")
    (run / "metrics.jsonl").write_text("")
    result = run_here("--resume", run, "--max-steps", "12", "--quiet")
    assert result.returncode == 0
    notes = result.stderr.splitlines()
    assert len(notes) == 2
    assert all(
        note.endswith("has lost some of its points; TensorBoard lacks them") for note in notes
    )
    assert read_log(run)["metrics"].startswith(expected["metrics"].rpartition('{"step"')[0])


def test_a_run_is_resumed_from_another_folder_and_after_a_move(data_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(data_dir.parent)
    run_on(data_dir.name, Path(os.path.relpath(tmp_path)), *ID, "--max-steps", "4").rename(
        tmp_path / "moved"
    )
    monkeypatch.chdir(tmp_path)
    resume = ("--resume", "moved", "--data-dir", data_dir, "--max-steps", "8")
    assert end(start(*resume, cwd=tmp_path))[::2] == (0, "")
    code, output, _ = end(start("--resume", tmp_path / "moved", "--dry-run"))
    assert code == 0
    assert json.loads(output)["data_dir"] == str(data_dir)


def test_a_folder_belongs_to_one_process_at_a_time(data_dir, tmp_path):
    flags = ("--data-dir", data_dir, "--log-dir", tmp_path, *TINY, *ID)
    process = start(*flags, "--max-steps", "10000000")
    wait_for_evaluations(process, tmp_path, 1)
    run = only_run(tmp_path)
    result = run_here("--resume", run)
    assert result.returncode == 2
    assert f"{run} is in use by process {process.pid} on " in one_line(result)
    process.kill()
    process.communicate()
    # The lock's file is still there; runs that were killed are resumed all the same.
    assert str(process.pid) in (run / ".lock").read_text()
    assert run_here("--resume", run, "--dry-run").returncode == 0
