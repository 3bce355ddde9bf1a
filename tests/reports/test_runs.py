import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from errors import RequestError
from reports.runs import read_run, read_runs
from settings import Settings
from task import is_finished
from tests.support.run_folders import write_run


def test_a_truncated_last_line_is_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1], [0.5, 0.2], [0.4, 0.6]], finished=False)
    whole = (run / "metrics.jsonl").read_text()
    for cut, last_step in ((20, 100), (1, 200)):  # 1: whole but for the line's end
        (run / "metrics.jsonl").write_text(whole[:-cut])
        assert read_run(run).last_step == last_step


def test_runs_below_folders_are_found_each_once_in_the_order_of_naming(tmp_path: Path) -> None:
    one, two = (write_run(tmp_path / "log" / name) for name in ("a/deep/1", "b/2"))
    for named, found in (
        ([tmp_path / "log", two], [one, two]),
        ([two, two / ".." / "2", tmp_path / "log"], [two, one]),
    ):
        runs, left_out = read_runs(named)
        assert [run.folder for run in runs] == found and left_out == []


def test_a_run_gives_its_evaluations_as_arrays(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [[0, 1], [0.5, 0.25]], tasks=["id", "ref"], task_time=50)
    ((run,), _) = read_runs(str(folder))
    assert (run.steps.dtype, run.steps.tolist()) == (np.int64, [0, 100])
    assert (run.accuracy.dtype, run.accuracy.tolist()) == (np.float64, [[0, 1], [0.5, 0.25]])
    assert (run.loss.dtype, run.loss.tolist()) == (np.float64, [[1, 1], [1, 1]])
    assert run.task_names == ("id", "ref") and run.settings.values()["task_time"] == 50


def test_the_losses_that_an_older_run_lacks_are_nan(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [[0, 1], [0.5, 0.25]])
    first, second = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    del first["loss"]
    (folder / "metrics.jsonl").write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    np.testing.assert_array_equal(read_run(folder).loss, [[np.nan, np.nan], [1, 1]])


def test_a_run_without_an_evaluation_is_named_and_left_out(tmp_path: Path) -> None:
    good, empty, bare = (write_run(tmp_path / n, [[1, 1]] * (n == "good")) for n in ("good", *"eb"))
    (bare / "metrics.jsonl").unlink()
    runs, left_out = read_runs([empty, good, bare])
    assert ([run.folder for run in runs], left_out) == ([good], [empty, bare])
    with pytest.raises(RequestError, match="nothing to report"):
        read_runs([empty, bare])


def test_folders_that_hold_no_run_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    no_folder = "there is no such folder"
    reasons = {"none": no_folder, "empty": "it has no config.json", "file": no_folder}
    for name, reason in reasons.items():
        message = f"{tmp_path / name} is no run's folder: {reason}; name a folder such as log/"
        with pytest.raises(RequestError, match=re.escape(message)):
            read_runs([tmp_path / name])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("{", "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[]", "has no settings"),
        ('{"settings": 3}', "has no settings"),
        ('{"settings": {"max_steps": 100, "task_time": 1, "seed": 0}}', "tasks is missing"),
        ({"max_steps": None}, "its max_steps, None"),
        ({"seed": None}, "seed: expected a whole number"),
        ({"task_time": None}, "its task_time, None"),
        ({"schedule": "random", "task_weights": [1]}, "its task_weights, (1.0,)"),
        ({"schedule": "joint", "task_weights": [0, 0]}, "its task_weights, (0.0, 0.0)"),
    ],
)
def test_damaged_configs_are_refused(tmp_path: Path, config: str | dict, expected: str) -> None:
    if isinstance(config, dict):
        settings = Settings().to_json() | {"max_steps": 1, "task_time": 1} | config
        config = json.dumps({"settings": settings})
    run = write_run(tmp_path / "run")
    (run / "config.json").write_bytes(config.encode(errors="surrogateescape"))
    with pytest.raises(RequestError) as error:
        read_run(run)
    assert expected in str(error.value) and str(run / "config.json") in str(error.value)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"test": 10}, "config.json has no data.mnist.train;"),
        ({"train": "many", "test": 10}, "(data.mnist.train: expected a whole number"),
        (
            {"train": 60, "test": 10, "sha256": ["a"]},
            "(data.mnist.sha256: expected text, got ['a'])",
        ),
    ],
)
def test_damaged_facts_of_datasets_are_refused(tmp_path: Path, facts: dict, expected: str) -> None:
    with pytest.raises(RequestError, match=re.escape(expected)):
        read_run(write_run(tmp_path / "run", data={"mnist": facts}))


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
def test_only_regular_files_are_read(tmp_path: Path, name: str) -> None:
    path = write_run(tmp_path / "run") / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RequestError, match=re.escape(f"{path} cannot be read (it is no regular")):
        read_run(path.parent)


def test_a_summary_that_is_no_regular_file_ends_no_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", finished=False)
    os.mkfifo(run / "summary.json")
    assert not read_run(run).finished and not is_finished(run, 1)


def test_the_schedule_is_drawn_up_to_the_last_evaluation_alone(tmp_path: Path) -> None:
    accuracies = [[0.1, 0.1]] * 4
    whole, long = (
        read_run(write_run(tmp_path / str(steps), accuracies, schedule="random", max_steps=steps))
        for steps in (300, 10**10)
    )
    counts = [[run.schedule.switches(step) for step in range(301)] for run in (whole, long)]
    assert counts[0] == counts[1] and counts[0][-1] > 100


STEP = "expected a step beyond 0, up to 10,000,000,000"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"step": 100, "accu', "it is not an evaluation in JSON"),
        ("", "it is not an evaluation in JSON"),
        ('{"step": 0, "accuracy": [0.1, 0.1]}', f"{STEP}, got 0"),
        ('{"accuracy": [0.1, 0.1]}', f"{STEP}, got None"),
        (f'{{"step": {10**30}, "accuracy": [0.1, 0.1]}}', f"{STEP}, got 1000"),
        ('{"step": 100, "accuracy": [0.1, 0.1], "loss": 3}', "expected a finite loss for each"),
        (
            '{"step": 100, "accuracy": [0.1, 0.1], "loss": [1, 1' + "0" * 400 + "]}",
            "expected a finite loss for each",
        ),
        ('{"step": 100, "accuracy": [0.1]}', "expected an accuracy for each of 2 tasks, got 1"),
        ('{"step": 100, "accuracy": [0.1, NaN]}', "expected a list of numbers from 0 to 1"),
        ('{"step": 100, "accuracy": [0.1, 97.0]}', "expected a list of numbers from 0 to 1"),
    ],
)
def test_damaged_lines_are_refused_by_their_number(
    tmp_path: Path, line: str, expected: str
) -> None:
    metrics = write_run(tmp_path / "run", [[0.1, 0.1]] * 3) / "metrics.jsonl"
    first, _, last = metrics.read_text().splitlines()
    metrics.write_text("\n".join([first, line, last, ""]))
    with pytest.raises(RequestError, match=re.escape(f"{metrics}, line 2: {expected}")):
        read_run(metrics.parent)
