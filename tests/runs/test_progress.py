"""The progress in a checkpoint: whatever stands there, it is refused or can be resumed from."""

import copy
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.checkpoints import Progress, ProgressState
from runs.history import Evaluation, Tally
from runs.log import RunLog, truncate
from tests.support.command import one_line, run_here
from tests.support.fuzzing import cases
from tests.support.reading import only_run

PROGRESS = Progress(
    step=9,
    settings={"tasks": ["id", "ref"], "seed": 0},
    history=(
        Evaluation(0, None, (0.1, 0.2), (2.3, 2.4)),
        Evaluation(9, 1, (0.5, 0.25), (1.5, 2.0)),
    ),
    tallies={1: Tally(20, 3, 41.5)},
    log={"train/events.out.tfevents.1.x": 40},
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from(
        [10**30, 10**400, 1e308, -1, 1e300, math.nan, math.inf, -0.5, "", "0", "id", "\x1b[31m"]
    ),
    st.sampled_from([[], {}, [[]], [None], {"": None}, {"0": {}}, [0.5], [0.5, 0.5], ["id"]]),
)


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Yields the path to each value inside of a value from JSON."""
    inside = enumerate(value) if isinstance(value, list) else getattr(value, "items", tuple)()
    for key, each in inside:
        yield (*path, key)
        yield from places(each, (*path, key))


def stored() -> dict:
    return json.loads(json.dumps(PROGRESS.to_json()))


def test_progress_is_read_as_it_was_saved():
    read = Progress.from_json(stored())
    assert read.to_json() == PROGRESS.to_json()


@cases(600)
@given(st.data())
def check_any_change(folder: Path, data: st.DataObject) -> None:
    changed = copy.deepcopy(stored())
    *path, last = data.draw(st.sampled_from([*places(changed)]))
    part = changed
    for key in path:
        part = part[key]
    if data.draw(st.booleans()):
        del part[last]
    else:
        part[last] = data.draw(VALUES)
    try:
        progress = Progress.from_json(changed)
    except ValueError:
        return
    # It can be used; its settings are compared with those of config.json.
    assert all(evaluation.step <= progress.step for evaluation in progress.history)
    json.dumps(progress.to_json() | {"settings": {}}, allow_nan=False)
    truncate(folder, progress.step, progress.log, progress.history)
    for index, tally in progress.tallies.items():
        assert 0 <= index < len(progress.settings["tasks"])
        assert 0 <= tally.accuracy <= 1 and math.isfinite(tally.loss)


def test_any_change_of_the_progress_is_refused_or_harmless(tmp_path, capsys):
    with RunLog(tmp_path, ["id", "ref"]):
        pass
    check_any_change(tmp_path)


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 8 steps."""
    log_dir = tmp_path_factory.mktemp("log")
    flags = ("--tasks", "id", "ref", "--filters", "2", "--batch", "5", "--max-steps", "8")
    assert run_here("--data-dir", data_dir, "--log-dir", log_dir, *flags).returncode == 0
    return only_run(log_dir)


@pytest.mark.parametrize(
    "change",
    [
        lambda progress: progress.pop("log"),
        lambda progress: progress.update(step="8"),
        lambda progress: progress.update(history=[{"step": 0}]),
        lambda progress: progress["history"][0]["accuracy"].pop(),
        lambda progress: progress["history"][0]["loss"].__setitem__(0, math.nan),
        lambda progress: progress.update(tallies={"2": {"examples": 1}}),
        lambda progress: progress.update(tallies={"0": {"examples": 0}}),
        lambda progress: progress.update(tallies={"0": {"rows": 5}}),
        lambda progress: progress.update(log={"../other": 1}),
        lambda progress: progress.update(log={"train/events.out.tfevents.1." + "x" * 5_000: 1}),
        lambda progress: progress.update(history=[]),
        lambda progress: progress.update(
            tallies={"0": {"examples": 10**400, "correct": 0, "loss_sum": 1.0}}
        ),
        lambda progress: progress.update(
            tallies={"0": {"examples": 1, "correct": 0, "loss_sum": 1e308}}
        ),
        lambda progress: progress["settings"].pop("seed"),
        lambda progress: progress["settings"].update(tasks=["id"]),
    ],
)
def test_a_run_is_not_resumed_from_damaged_progress(change, finished, tmp_path, monkeypatch):
    run = Path(shutil.copytree(finished, tmp_path / "run"))

    def serialize(state: ProgressState) -> str:
        damaged = state.progress.to_json()
        damaged = json.loads(json.dumps(damaged))
        change(damaged)
        return json.dumps(damaged)

    with monkeypatch.context() as patch:
        patch.setattr(ProgressState, "serialize", serialize)
        assert run_here("--resume", run, "--max-steps", "9").returncode == 0
    for path in (run / "checkpoints").glob("ckpt-8.*"):
        path.unlink()
    result = run_here("--resume", run, "--max-steps", "10")
    assert result.returncode == 2
    one_line(result)
