"""Runs as sessions of TensorBoard's HParams."""

from pathlib import Path

from runs.log import RunLog
from runs.session import hyperparameters
from settings import Settings
from tests.support.problems import make_settings
from tests.support.reading import read_sessions


def sessions(folder: Path, settings: Settings) -> list:
    with RunLog(folder, settings.tasks.tasks) as log:
        log.begin_session(settings)
        log.end_session()
    return read_sessions(folder)


def test_hyperparameters_are_of_types_that_hparams_takes() -> None:
    found = hyperparameters(
        make_settings(tasks=("id", "inv"), filters=(4, 8), network=("conv", "conv", "fc"))
    )
    assert all(type(value) in (bool, int, float, str) for value in found.values())
    assert (found["tasks"], found["filters"], found["learning_rate"]) == ("id inv", "4 8", 0.1)
    assert not {"hidden_units", "log_dir", "threads", "quiet"} & found.keys()


def test_seeds_of_one_setting_are_one_row(tmp_path: Path) -> None:
    groups = [
        sessions(tmp_path / name, make_settings(seed=seed, learning_rate=rate))[0]["group"]
        for name, seed, rate in (("a", 0, 0.1), ("b", 1, 0.1), ("c", 0, 0.2))
    ]
    assert groups[0] == groups[1] != groups[2]


def test_a_session_ends_with_success(tmp_path: Path) -> None:
    start, end = sessions(tmp_path, make_settings())
    assert start["settings"]["tasks"] == "id"
    assert end == 1  # STATUS_SUCCESS
