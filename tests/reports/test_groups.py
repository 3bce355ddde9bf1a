from pathlib import Path

import numpy as np
import pytest

from reports.groups import group_runs
from reports.markdown import line_in_markdown
from reports.runs import read_runs
from tests.support.run_folders import LONG_NAMES, make_groups, write_run


def test_runs_that_differ_in_the_seed_alone_are_one_group(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, {"seed": 2}, {"seed": 1}, {"seed": 3, "optimizer": "adam"})
    assert [[run.seed for run in group.runs] for group in groups] == [[1, 2], [3]]
    assert [group.title for group in groups] == ["sgd (2 seeds)", "adam (seed 3)"]


@pytest.mark.parametrize(
    ("common", "changes", "count"),
    [
        ({}, {"gpu": True, "threads": 2, "quiet": True, "train_summary_frequency": 3}, 1),
        ({}, {"data_dir": "a", "epochs": 1, "test_at_switches": False}, 1),
        # Older runs have hidden units, and turns, where there are none.
        ({"network": ["conv", "fc"]}, {"hidden_units": 500}, 1),
        ({"network": ["conv", "fc", "fc"]}, {"hidden_units": 500}, 2),
        ({"schedule": "joint"}, {"task_time": 500}, 1),
        ({"schedule": "cycle"}, {"task_time": 500}, 2),
        # Heads and a schedule mean nothing for a single task.
        ({"tasks": ["id"]}, {"heads": "multi", "schedule": "joint"}, 1),
        ({"tasks": ["id", "dog"]}, {"heads": "multi"}, 2),
    ],
)
def test_settings_that_change_no_result_keep_no_runs_apart(
    tmp_path: Path, common: dict, changes: dict, count: int
) -> None:
    assert len(make_groups(tmp_path, common, common | changes)) == count


def test_an_equal_run_is_left_out(tmp_path: Path) -> None:
    short = write_run(tmp_path / "1", [[0.1, 0.1]], finished=False)
    long = write_run(tmp_path / "2", [[0.1, 0.1], [0.2, 0.2]])
    (group,), notes = group_runs(read_runs([short, long])[0])
    assert [run.folder for run in group.runs] == [long]
    expected = f"left out: `{short}` repeats `{long}` with the same seed"
    assert list(map(line_in_markdown, notes)) == [expected]


def data(checksum: str | None, examples: int = 60) -> dict:
    """Returns `config.json`'s data of a run on so many examples; None is of an older version."""
    facts = {"train": examples, "test": 10, **({"sha256": checksum} if checksum else {})}
    return {"data": {"mnist": facts}}


ONE, OTHER = "0123456789" * 6, "a123456789" * 6


@pytest.mark.parametrize(
    ("runs", "groups"),
    [
        ([data(ONE), data(ONE), data(OTHER)], [2, 1]),
        ([data(ONE), data(OTHER) | {"seed": 0}], [1, 1]),  # no repetition
        ([data(ONE) | {"fake_data": True}, data(OTHER) | {"fake_data": True}], [1, 1]),
        # An older run has no checksum: it is one of those on as much data, unless these disagree.
        ([data(None), data(ONE), data(None, 70), data(None, 70)], [2, 2]),
        ([data(None), data(ONE), data(OTHER), data(None)], [2, 1, 1]),
    ],
)
def test_runs_on_different_data_are_different_groups(
    tmp_path: Path, runs: list[dict], groups: list[int]
) -> None:
    found = make_groups(tmp_path, *runs)
    assert [len(group.runs) for group in found] == groups


ON = {"l2": 0.5, "optimizer": "adam", "standardize": True}


@pytest.mark.parametrize(
    ("runs", "labels"),
    [
        ([{"fake_data": True}], ["DRAWN DATA, dog id"]),
        ([{}, {"fake_data": True}], ["real data", "DRAWN DATA"]),
        (
            [{"data": {"mnist": {"train": size, "test": 10}}} for size in (60, 70)],
            ["data of mnist 60+10", "data of mnist 70+10"],
        ),
        (
            [data(ONE), data(OTHER), data(None)],
            [f"data of mnist 60+10{each}" for each in (" (01234567…)", " (a1234567…)", "")],
        ),
        ([data(ONE), data(OTHER) | {"fake_data": True}], ["real data", "DRAWN DATA"]),
        ([{}, {"test_frequency": 50}], ["test frequency 100", "test frequency 50"]),
        # In the order in which the settings are declared.
        (
            [{"optimizer": "adam", "task_time": 2000}, {}, {"schedule": "joint"}],
            ["cycle, task time 2000, adam", "cycle, task time 200, sgd", "joint, sgd"],
        ),
        # What is off is left out, unless nothing else tells two groups apart.
        ([{}, ON], ["sgd", "standardize on, adam, l2 0.5"]),
        ([ON | {"l2": 0.0}, ON], ["l2 0.0", "l2 0.5"]),
        # Many tasks are counted, and no two labels are equal.
        ([{"tasks": LONG_NAMES[n : n + 10]} for n in (0, 1)], ["10 tasks [1]", "10 tasks [2]"]),
    ],
)
def test_labels_name_what_differs(tmp_path: Path, runs: list[dict], labels: list[str]) -> None:
    assert [group.label for group in make_groups(tmp_path, *runs)] == labels


def test_curves_are_means_and_deviations_over_the_seeds(tmp_path: Path) -> None:
    one = {"accuracies": [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]}
    two = {"accuracies": [[0.1, 0.1], [0.7, 0.2], [0.6, 0.6]]}
    (group,) = make_groups(tmp_path, one, two)
    np.testing.assert_allclose(group.curves.mean[2], [0.5, 0.7, 0.6])
    np.testing.assert_allclose(group.curves.deviation[2], [0.02**0.5, 0.02**0.5, 0], atol=1e-9)
    assert np.isnan(make_groups(tmp_path / "alone", one)[0].curves.deviation).all()


def test_curves_continue_with_the_seeds_that_reached_a_step(tmp_path: Path) -> None:
    whole = {"accuracies": [[0.1, 0.1], [0.2, 0.4], [0.4, 0.6]]}
    short = {"accuracies": [[0.1, 0.1], [0.4, 0.4]], "finished": False, "max_steps": 200}
    (group,) = make_groups(tmp_path, whole, short)
    np.testing.assert_allclose(group.curves.mean[:, 0], [0.1, 0.3, 0.4])
    assert np.isnan(group.curves.deviation[:, 0]).tolist() == [False, False, True]
    assert group.title == "dog id (2 seeds, 1 unfinished)"


def test_curves_leave_out_steps_at_which_only_some_seeds_were_evaluated(tmp_path: Path) -> None:
    one, two = (write_run(tmp_path / str(n), [[n / 10, 0]] * 3, seed=n) for n in (1, 3))
    metrics = one / "metrics.jsonl"
    metrics.write_text(metrics.read_text().replace('"step": 100', '"step": 150'))
    ((group,), _) = group_runs(read_runs([one, two])[0])
    assert group.curves.x.tolist() == [0, 200]
    np.testing.assert_allclose(group.curves.mean[:, 0], [0.2, 0.2])
