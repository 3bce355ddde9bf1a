"""Reads the folders of runs: what each was asked for, and how its tests came out."""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from errors import RequestError
from runs.config import CONFIG, read_config
from tasks.schedule import Schedule, make_schedule

# Flags that older runs did not have yet, with the value that says what those runs did.
FORMERLY = {
    **{"schedule": "cycle", "task_weights": None, "epochs": None, "heads": "shared"},
    **{"image_size": 28, "standardize": False, "l2": 0.0},
    **{"stitch_init": None, "weights": "none", "freeze_backbone": False},
    **{"threads": None, "precision": "float32", "xla": False},
}


@dataclass(frozen=True, eq=False)
class Run:
    """A run as its folder tells it."""

    folder: Path
    settings: dict
    data: dict[str, str]  # how many examples each data set has, to train + to test on
    drawn: bool  # whether on drawn data, whose accuracies say nothing of real data
    steps: np.ndarray  # [T] int64, the steps done at each test
    accuracy: np.ndarray  # [T, tasks] float64, shares
    ended: bool  # whether it came to write its summary

    @property
    def last_step(self) -> int:
        """How far the run is known to have come."""
        return int(self.steps[-1])

    @property
    def finished(self) -> bool:
        """Whether the run did all that it was asked to."""
        return self.ended and self.last_step >= self.settings["max_steps"]

    @property
    def progress(self) -> str:
        """How far the run came, in words."""
        if self.finished:
            return f"{self.last_step:,}"
        if self.last_step < self.settings["max_steps"]:
            return f"unfinished: {self.last_step:,} of {self.settings['max_steps']:,} steps"
        return f"unfinished: no summary.json after {self.last_step:,} steps"

    @cached_property
    def schedule(self) -> Schedule:
        """Which task was trained at which step."""
        return make_schedule(argparse.Namespace(**self.settings))


def read_runs(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """The runs in the order of naming, each once, and notes on those that are left out.

    Raises:
        RequestError: a folder is no run's, a file in it is damaged, or no run has a test.
    """
    folders = [run for folder in folders for run in runs_below(folder)]
    runs, notes = [], []
    for folder in {folder.resolve(): folder for folder in reversed(folders)}.values():
        run = read_run(folder)
        if run is None:
            notes.append(f"left out: {folder} has no whole line in metrics.jsonl, so no test yet")
        else:
            runs.append(run)
    if not runs:
        raise RequestError(
            "there is nothing to report: no run has a whole line in its metrics.jsonl; "
            "name a run that has been tested at least once"
        )
    return runs[::-1], notes[::-1]


def runs_below(folder: Path) -> list[Path]:
    """The folders of the runs below a folder; itself if it is a run's, or none is below."""
    found = []
    for path, folders, files in os.walk(folder):  # which minds no folder that is gone meanwhile
        folders[:] = [name for name in folders if not name.startswith(".")]
        if CONFIG in files:
            found.append(Path(path))
            folders.clear()
    return sorted(found) or [folder]


def read_run(folder: Path) -> Run | None:
    """A run; None where it has not been tested yet."""
    config = read_config(folder)
    settings = FORMERLY | {"seed": config.get("seed")} | config["settings"]
    check_settings(folder, settings)
    settings["hidden_units"] = hidden_units_of(settings)
    tests = read_tests(folder / "metrics.jsonl", len(settings["tasks"]))
    if not tests:
        return None
    return Run(
        folder,
        settings,
        sizes_of(config.get("data")),
        bool(config.get("fake_data") or settings.get("fake_data")),
        np.array([test["step"] for test in tests]),
        np.array([test["accuracy"] for test in tests], dtype=np.float64),
        (folder / "summary.json").is_file(),
    )


def hidden_units_of(settings: dict) -> object:
    """The width of the hidden layers; None where there are none, which older runs did not say."""
    network = settings.get("network")
    none = isinstance(network, list) and network.count("fc") < 2
    return None if none else settings.get("hidden_units")


def check_settings(folder: Path, settings: dict) -> None:
    """Refuses settings from which the schedule cannot be had."""
    tasks, weights = settings.get("tasks"), settings["task_weights"]
    fits = {
        "tasks": is_list_of(tasks, str),
        "schedule": settings["schedule"] in ("cycle", "random", "joint"),
        "task_time": settings["schedule"] != "cycle" or is_whole(settings.get("task_time"), 1),
        "max_steps": is_whole(settings.get("max_steps"), 1),
        "seed": is_whole(settings["seed"], 0),
    }
    fits["task_weights"] = weights is None or (
        is_list_of(weights, int, float) and fits["tasks"] and len(weights) == len(tasks)
    )
    for name, fit in fits.items():
        if not fit:
            found = (
                f"{name} {json.dumps(settings[name])[:60]}" if name in settings else f"no {name}"
            )
            raise RequestError(
                f"{folder / CONFIG}: its settings have {found}, from which no run follows; "
                "leave this run out, or mend it"
            )


def is_list_of(value: object, *kinds: type) -> bool:
    """Whether the value is a list with something in it, all of one of the kinds."""
    return isinstance(value, list) and bool(value) and all(type(item) in kinds for item in value)


def is_whole(value: object, least: int) -> bool:
    """Whether the value is a whole number, `least` or more; True and False are none."""
    return type(value) is int and value >= least


def sizes_of(data: object) -> dict[str, str]:
    """How many examples each data set has, where `config.json` says it."""
    if not isinstance(data, dict):
        return {}
    return {
        name: f"{facts.get('train')}+{facts.get('test')}"
        for name, facts in data.items()
        if isinstance(facts, dict)
    }


def read_tests(path: Path, tasks: int) -> list[dict]:
    """The tests in `metrics.jsonl`, up to the last whole line."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror})") from error
    *whole, rest = lines
    if parse(rest) is not None:
        whole.append(rest)  # an editor may have taken the last line's end away
    tests: list[dict] = []
    for number, line in enumerate(whole, start=1):
        test = parse(line)
        wrong = what_is_wrong(test, tasks, tests[-1]["step"] if tests else -1)
        if wrong:
            raise RequestError(
                f"{path}, line {number}: {wrong}; leave this run out, or remove the line"
            )
        tests.append(test)
    return tests


def parse(line: bytes) -> object:
    """What a line of JSON says; None where it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def what_is_wrong(test: object, tasks: int, last_step: int) -> str | None:
    """What keeps a line from being the test after the one at `last_step`; None if nothing does."""
    if not isinstance(test, dict):
        return "it is not a test in JSON"
    if not is_whole(test.get("step"), last_step + 1):
        return f"expected a step beyond {max(last_step, 0):,}, got {test.get('step')!r}"
    accuracy = test.get("accuracy")
    if not is_list_of(accuracy, int, float) or not all(0 <= share <= 1 for share in accuracy):
        return "expected a list of numbers from 0 to 1 as its accuracy"
    if len(accuracy) != tasks:
        return f"expected an accuracy for each of {tasks} tasks, got {len(accuracy)}"
    return None
