"""--resume: how far it may go, what may change, what is refused, and who holds the folder."""

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import one_line, run_command
from tests.support.datasets import write_fashion, write_idx, write_mnist
from tests.support.reading import only_run
from tests.support.running import all_of, end, start, wait_for_tests

TINY = (
    *("--batch", "5", "--test-frequency", "4", "--train-summary-frequency", "3"),
    *("--checkpoint-frequency", "4", "--threads", "1"),
)


STITCHED = ("--network", "cross-stitch")
ID = ("--tasks", "id", "--filters", "2")


def run_on(data_dir: Path, log_dir: Path, *flags: object) -> Path:
    """A run to its end on the data: its folder."""
    result = run_command("--data-dir", data_dir, "--log-dir", log_dir, *TINY, *flags)
    assert (result.returncode, result.stderr) == (0, "")
    return only_run(log_dir)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with tiny digits and clothes."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    write_fashion(base / "fashion-mnist")
    return base


@pytest.fixture(scope="module")
def ended(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of ten steps."""
    return run_on(data_dir, tmp_path_factory.mktemp("log"), *ID, "--max-steps", "10")


@pytest.fixture
def run(ended: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(ended, tmp_path / "run"))


@pytest.mark.parametrize(
    "flags",
    [
        ("--tasks", "id", "noise", "--schedule", "random", "--optimizer", "adam", "--l2", "0.01"),
        ("--tasks", "id", "fashion", "--schedule", "joint", "--standardize", *STITCHED),
    ],
    ids=["random", "joint"],
)
def test_a_run_that_goes_further_shows_no_trace_of_its_first_end(data_dir, tmp_path, flags):
    whole = run_on(data_dir, tmp_path / "whole", *flags, "--max-steps", "17")
    parts = run_on(data_dir, tmp_path / "parts", *flags, "--max-steps", "10")
    first = (parts / "summary.json").read_text()
    result = run_command("--resume", parts, "--max-steps", "17")
    assert (result.returncode, result.stderr) == (0, "")
    assert "goes on   after 10 of 17 steps" in result.stdout
    assert "step 12/17" in result.stdout
    assert all_of(parts) == all_of(whole)
    assert (parts / "summary.json").read_text() == (whole / "summary.json").read_text() != first
    config, of_whole = (json.loads((r / "config.json").read_text()) for r in (parts, whole))
    for settings in (config["settings"], of_whole["settings"]):
        del settings["log_dir"]
    assert config["settings"] == of_whole["settings"]
    assert config["tasks"] == of_whole["tasks"]
    assert [entry["step"] for entry in config["resumed"]] == [10]
    assert "--max-steps 10" in config["command"]
    assert "--max-steps 17" in config["resumed"][0]["command"]


def test_epochs_may_have_set_the_steps(data_dir, tmp_path):
    run = run_on(data_dir, tmp_path / "log", *ID, "--epochs", "1")
    assert json.loads((run / "summary.json").read_text())["step"] == 8
    result = run_command("--resume", run, "--max-steps", "10")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads((run / "summary.json").read_text())["step"] == 10


def test_profiles_are_those_of_one_run(data_dir, tmp_path):
    trace = (*ID, "--trace", "--train-metadata-frequency", "4")
    run = run_on(data_dir, tmp_path / "log", *trace, "--max-steps", "10")
    profiles = run / "train" / "plugins" / "profile"
    (profiles / "2026_11_22_05_15_33").mkdir()  # of a run that was killed in the midst of one
    assert run_command("--resume", run, "--max-steps", "14").returncode == 0
    assert sorted(path.name for path in profiles.iterdir()) == [
        *("step_0", "step_12", "step_4", "step_8")
    ]


def test_a_run_that_is_done_stays_as_it_is(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    result = run_command("--resume", run)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{run} is done; --max-steps makes it go further\n"
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert {path for path in before | after if before.get(path) != after.get(path)} == {
        run / ".lock"
    }


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--learning-rate", "0.2"), "--learning-rate: {run} was started with 0.1, and now it is"),
        (("--tasks", "id", "ref"), "--tasks: {run} was started with id, and now it is id ref"),
        (("--xla",), "--xla: {run} was started with nothing, and now it is on"),
        (("--data-dir", "tests"), "--data-dir: {run} was started with"),
        (("--checkpoint-frequency", "5"), "--checkpoint-frequency: {run} was started with 4"),
        (("--max-steps", "9"), "--max-steps 9: {run} is to go to 10"),
        (("--epochs", "3"), "--epochs: a run is taken up with --max-steps"),
        (("--threads", "0"), "argument --threads"),
        (("--network", "fc", "conv"), "--network fc conv: must end in fc"),
    ],
)
def test_what_may_not_change_is_refused_and_named(run, flags, message):
    result = run_command("--resume", run, *flags)
    assert result.returncode == 2
    assert message.format(run=run) in one_line(result)


def test_what_may_change(run):
    result = run_command("--resume", run, "--max-steps", "12", "--threads", "2", "--no-gpu")
    assert (result.returncode, result.stderr) == (0, "")
    assert "--threads 2 in place of 1: the last digits may differ" in result.stdout
    settings = json.loads((run / "config.json").read_text())["settings"]
    assert (settings["max_steps"], settings["threads"], settings["gpu"]) == (12, 2, False)
    again = run_command("--resume", run, "--learning-rate", "0.1", "--dry-run")
    assert json.loads(again.stdout) == settings | {"quiet": False}


def changed(run: Path, **settings: object) -> None:
    """Changes settings in a run's config.json; None takes one away."""
    path = run / "config.json"
    config = json.loads(path.read_text())
    config["settings"] |= settings
    config["settings"] = {k: v for k, v in config["settings"].items() if settings.get(k, v) is v}
    path.write_text(json.dumps(config))


def older(run):
    config = json.loads((run / "config.json").read_text())
    del config["settings"]["checkpoint_frequency"]
    (run / "config.json").write_text(json.dumps(config))


def damaged(run):
    for path in (run / "checkpoints").glob("*.index"):
        path.write_bytes(path.read_bytes()[:-5])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "there is no such folder"),
        (lambda run: (run / "config.json").unlink(), "it has no config.json"),
        (lambda run: (run / "config.json").write_text("{"), "is not JSON"),
        (older, "made by an older version"),
        (lambda run: changed(run, batch=-3), "argument --batch"),
        (lambda run: changed(run, network=[3]), "argument --network"),
        (lambda run: changed(run, surprise=3), "unrecognized arguments: --surprise=3"),
        (lambda run: changed(run, seed=3), "config.json has seed 3, and the run was saved with 0"),
        (damaged, "damaged, or not of the network"),
    ],
)
def test_what_is_no_run_any_more_is_refused(run, damage, message):
    damage(run)
    result = run_command("--resume", run, "--max-steps", "12")
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_fewer_steps_than_are_done_are_refused(run):
    changed(run, max_steps=9)
    (run / "summary.json").unlink()
    result = run_command("--resume", run)
    assert result.returncode == 2
    assert "config.json has 9 as max_steps, and 10 are done" in one_line(result)


def test_what_was_saved_for_the_first_time_and_cut_short_is_no_hindrance(data_dir, tmp_path):
    whole = run_on(data_dir, tmp_path / "whole", *ID, "--max-steps", "3")
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    checkpoints = run / "checkpoints"
    for path in checkpoints.iterdir():
        path.rename(checkpoints / path.name.replace("ckpt-3", ".saving"))
    (run / "summary.json").unlink()
    result = run_command("--resume", run)
    assert "after 0 of 3 steps: nothing was saved yet, and it begins again" in result.stdout
    assert all_of(run) == all_of(whole)
    assert not list(checkpoints.glob(".saving*"))


def test_other_data_is_refused(data_dir, tmp_path):
    data = Path(shutil.copytree(data_dir, tmp_path / "data"))
    run = run_on(data, tmp_path / "log", *ID, "--max-steps", "4")
    write_idx(data / "mnist" / "train-labels-idx1-ubyte", np.arange(40)[::-1] % 10)
    result = run_command("--resume", run, "--max-steps", "8")
    assert result.returncode == 2
    assert "was started on other data than what is now in MNIST from" in result.stderr


@pytest.mark.parametrize("part", ["ckpt-10.index", "ckpt-10.data-00000-of-00001"])
def test_the_checkpoint_before_stands_in_for_a_damaged_one(run, part):
    expected = all_of(run)
    (run / "checkpoints" / part).write_bytes(b"\0" * 100)
    (run / "summary.json").unlink()
    result = run_command("--resume", run, "--quiet")
    assert result.returncode == 0
    assert "ckpt-10" in one_note(result) and "ckpt-8 is used" in one_note(result)
    assert all_of(run) == expected
    names = {path.name.partition(".")[0] for path in (run / "checkpoints").iterdir()}
    assert names == {"checkpoint", "ckpt-8", "ckpt-10"}


def one_note(result) -> str:
    """The one line on stderr, which is a note."""
    assert result.stderr.startswith("note: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_what_a_cut_short_save_left_is_removed(run):
    checkpoints = run / "checkpoints"
    (checkpoints / "ckpt-12_temp").mkdir()
    (checkpoints / "ckpt-12.data-00000-of-00001").write_bytes(b"x")
    (checkpoints / "checkpoint").write_text('model_checkpoint_path: "../../elsewhere"\n')
    result = run_command("--resume", run, "--max-steps", "12", "--quiet")
    assert (result.returncode, result.stderr) == (0, "")
    names = {path.name.partition(".")[0] for path in checkpoints.iterdir()}
    assert names == {"checkpoint", "ckpt-10", "ckpt-12"}


def test_lost_points_are_told(run):
    expected = all_of(run)
    (events,) = (run / "test").glob("events*")
    events.write_bytes(events.read_bytes()[:60])
    shutil.rmtree(run / "test_task_0_id")
    (run / "metrics.jsonl").write_text("")
    result = run_command("--resume", run, "--max-steps", "12", "--quiet")
    assert result.returncode == 0
    notes = result.stderr.splitlines()
    assert len(notes) == 2
    assert all(
        line.endswith("has lost some of its points; TensorBoard lacks them") for line in notes
    )
    assert all_of(run)["metrics"].startswith(expected["metrics"].rpartition('{"step"')[0])


def test_from_other_folders_and_after_a_move(data_dir, tmp_path):
    relative = (
        "--data-dir",
        data_dir.name,
        "--log-dir",
        os.path.relpath(tmp_path, data_dir.parent),
    )
    flags = (*relative, *TINY, *ID, "--max-steps", "4")
    assert end(start(*flags, cwd=data_dir.parent))[::2] == (0, "")
    only_run(tmp_path).rename(tmp_path / "moved")
    resume = ("--resume", "moved", "--data-dir", data_dir, "--max-steps")
    assert end(start(*resume, "8", cwd=tmp_path))[::2] == (0, "")
    code, output, _ = end(start("--resume", tmp_path / "moved", "--dry-run"))
    assert code == 0
    assert json.loads(output)["data_dir"] == str(data_dir)


def test_a_folder_is_one_process_s_at_a_time(data_dir, tmp_path):
    flags = ("--data-dir", data_dir, "--log-dir", tmp_path, *TINY, "--tasks", "id")
    process = start(*flags, "--max-steps", "10000000")
    wait_for_tests(process, tmp_path, 1)
    run = only_run(tmp_path)
    result = run_command("--resume", run)
    assert result.returncode == 2
    assert f"{run} is still going, in process {process.pid} on " in one_line(result)
    process.kill()
    process.communicate()
    # The lock is still there, and its process is not.
    assert str(process.pid) in (run / ".lock").read_text()
    again = start("--resume", run)
    wait_for_tests(again, tmp_path, len((run / "metrics.jsonl").read_text().splitlines()) + 1)
    again.send_signal(signal.SIGINT)
    assert end(again)[::2] == (130, "")
