"""A run's folder with a damaged file: it resumes from something sound, or says what is wrong."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evaluate
from reports.runs import read_run
from runs.announcement import announce_run
from runs.checkpoints import Checkpoints, Progress
from runs.config import check_network, check_saved, fixed_settings, read_config
from runs.description import describe_resumed
from runs.display import Display
from runs.history import Evaluation, read_history
from runs.log import truncate
from runs.request import read_request
from task import prepare
from tasks.resolve import choose_tasks
from tests.support.command import run_here
from tests.support.fuzzing import cases, damaged, outcome, put, snapshot
from tests.support.reading import only_run

FLAGS = (
    *("--tasks", "id", "--filters", "2", "--batch", "5", "--optimizer", "adam"),
    *("--max-steps", "10", "--test-frequency", "3", "--train-summary-frequency", "3"),
    *("--checkpoint-frequency", "4"),
)
SAVED = (8, 10)


@pytest.fixture(scope="module")
def run(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed after its last checkpoint."""
    log_dir = tmp_path_factory.mktemp("log")
    result = run_here("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS)
    assert result.returncode == 0, result.stderr
    run = only_run(log_dir)
    (run / "summary.json").unlink()
    return run


class Resumption:
    """Resumes runs as the command does up to the training, with one network for all."""

    def __init__(self, run: Path) -> None:
        _, settings = read_request(["--resume", str(run), "--quiet"])
        _, self.problem, self.config = prepare(
            settings, Display(True, settings.tasks.tasks), resumed=True
        )

    def __call__(self, run: Path) -> tuple[int, Sequence[Evaluation], list[np.ndarray]]:
        """Returns the step, the history, and the values of all variables of the network."""
        _, settings = read_request(["--resume", str(run)])
        network = self.problem.network
        restored = Checkpoints(run, network, self.problem.optimizer).restore()
        if restored:
            check_saved(run, settings, restored.settings, restored.step)
        progress = restored or Progress()
        describe_resumed(run, self.config, progress.step)
        truncate(run, progress.step, progress.log, progress.history)
        parts = (network.trunk, *network.heads)
        values = [variable.numpy() for part in parts for variable in part.variables]
        return progress.step, progress.history, values


def places_in(value: object, *place: str | int) -> Iterator[tuple]:
    """Yields the place of each value in JSON, and of those in it."""
    yield place
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            yield from places_in(part, *place, name)


def put_in(value: Any, place: tuple, other: object) -> Any:
    """Returns a copy of a value in JSON with another at a place; REMOVED for none."""
    if not place:
        return other
    first, *rest = place
    copy = value.copy()
    copy[first] = put_in(value[first], tuple(rest), other)
    if copy[first] is REMOVED:
        del copy[first]
    return copy


REMOVED = object()
OTHERS = (
    *(REMOVED, None, True, 0, -1, 0.5, 10**30, float("nan"), "", "x", "x" * 3_000),
    *("\0\x1b[31m\n", "\ud800", "../..", [], [[]], [None], ["x", "y"], {}, {"x": {"y": []}}),
)


def test_an_edited_config(run, tmp_path):
    """All that evaluate.py, --resume and report.py read of it is sound, or it is refused."""
    resume = Resumption(run)
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    # A run that has been resumed has every fact.
    stored = json.loads(json.dumps(describe_resumed(run, resume.config, 8)))
    datasets = {name: SimpleNamespace(**facts) for name, facts in stored["data"].items()}
    for dataset in datasets.values():
        dataset.class_names = dataset.classes
    options = evaluate.read_options([str(folder)])

    def read_to_evaluate():
        config = read_config(folder)
        settings = evaluate.current_settings(options, config)
        check_network(folder, settings, choose_tasks(settings.tasks, settings.data, quiet=True))
        evaluate.check_classes(config, datasets)
        return settings

    def read_to_resume():
        _, settings = read_request(["--resume", str(folder)])
        check_saved(folder, settings, fixed, 8)
        config = describe_resumed(folder, resume.config, 8)
        return settings, json.dumps(announce_run(settings, config, folder))

    _, sound = read_request(["--resume", str(run)])
    fixed = fixed_settings(sound)
    refused = 0
    for place in places_in(stored):
        for other in OTHERS:
            if place or other is not REMOVED:
                contents = json.dumps(put_in(stored, place, other))
                (folder / "config.json").write_text(contents)
            (evaluated, _), (resumed, _), (reported, _) = map(
                outcome, (read_to_evaluate, read_to_resume, lambda: read_run(folder))
            )
            refused += not (evaluated and resumed and reported)
            if resumed:
                assert fixed_settings(resumed[0]) == fixed
    assert refused > 500


def test_a_damaged_file(run, tmp_path):
    resume = Resumption(run)
    names = sorted(path.relative_to(run) for path in run.rglob("*") if path.is_file())
    expected = {}
    for step in SAVED[::-1]:
        copy = Path(shutil.copytree(run, tmp_path / f"sound-{step}"))
        for later in (s for s in SAVED if s > step):
            (copy / "checkpoints" / f"ckpt-{later}.index").unlink()
        expected[step] = resume(copy)
        assert expected[step][:2] == (step, read_history(copy, tasks=1))
    home = tmp_path / "a" / "home"
    home.mkdir(parents=True)

    @cases(250)
    @given(st.data())
    def check(data):
        shutil.rmtree(home / "run", ignore_errors=True)
        copy = Path(shutil.copytree(run, home / "run"))
        path = copy / data.draw(st.sampled_from(names))
        # A folder in place of a file that a run only writes fails as a full disk does.
        read = path.name == "config.json" or path.name.startswith("ckpt-")
        folder = read and data.draw(st.integers(0, 19)) == 7
        put(path, None if folder else data.draw(damaged(path.read_bytes() or b"\0")))
        before = snapshot(tmp_path)
        result, said = outcome(lambda: resume(copy))
        if result is not None:
            step, history, values = result
            assert history == expected[step][1] == read_history(copy, tasks=1)
            for found, sound in zip(values, expected[step][2], strict=True):
                np.testing.assert_array_equal(found, sound)
            assert re.fullmatch(r"(note: .*\n)*", said)
        after = snapshot(tmp_path)
        changed = {each for each in before | after if before.get(each, 0) != after.get(each, 0)}
        assert all(str(each).startswith(str(copy)) for each in changed)

    check()
