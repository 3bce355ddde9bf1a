"""The report: what it reads, works out, draws and refuses, on run folders written by hand."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import report
from reports.figures import draw_comparison, draw_group, stretches_of, switching, write_figures
from reports.gains import gain_of, gains_of
from reports.groups import Group, group_runs
from reports.runs import read_runs
from reports.style import MARKERS, house_style, look
from reports.table import make_table
from tests.support.command import ROOT

LONG_NAMES = [f"cifar100:large_man-made_outdoor_things_{n}" for n in range(20)]


def write_run(folder: Path, accuracies: list, finished: bool = True, **changes: object) -> Path:
    """A run's folder with a test every 100 steps, and settings that may be changed."""
    every = 100
    settings = {
        "tasks": ["dog", "id"],
        "schedule": "cycle",
        "task_time": 200,
        "task_weights": None,
        "max_steps": every * max(len(accuracies) - 1, 1),
        "heads": "shared",
        "optimizer": "sgd",
        "seed": 0,
        "fake_data": False,
        "log_dir": str(folder),
    } | changes
    folder.mkdir(parents=True)
    config = {"settings": settings, "seed": settings["seed"], "fake_data": settings["fake_data"]}
    (folder / "config.json").write_text(json.dumps(config))
    tests = [
        {"step": every * n, "trained": None, "accuracy": accuracy, "loss": [1.0] * len(accuracy)}
        for n, accuracy in enumerate(accuracies)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(test) + "\n" for test in tests))
    if finished:
        (folder / "summary.json").write_text("{}")
    return folder


def groups_of(*folders: Path) -> list[Group]:
    """The groups that the runs in the folders make."""
    return group_runs(read_runs(folders)[0])[0]


def cells(table: str) -> list[list[str]]:
    """The cells of a Markdown table, without its headings."""
    rows = [line[1:-1].split("|") for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


def rising(tasks: int, tests: int) -> list[list[float]]:
    """Accuracies that rise, each task's in its own way."""
    return [[t / tests * (1 - k / tasks / 2) for k in range(tasks)] for t in range(tests)]


def run_report(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Runs `python report.py` as a user does."""
    return subprocess.run(
        [sys.executable, "report.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def refusal(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    """The one line in which the report is refused, with exit code 2."""
    assert report.main([*map(str, arguments)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("report.py: error: ") and output.err.count("\n") == 1, output.err
    return output.err


# What it reads.


def test_hidden_units_that_there_are_not_keep_no_runs_apart(tmp_path):
    """Runs of before say 500 of them where the network has no hidden layer."""
    for network, groups in ((["conv", "fc"], 1), (["conv", "fc", "fc"], 2)):
        runs = [
            write_run(
                *(tmp_path / f"{groups} {units}", [[0.1, 0.1]] * 2),
                **{"network": network, "seed": seed, "hidden_units": units},
            )
            for seed, units in enumerate((500, None))
        ]
        assert len(groups_of(*runs)) == groups


def test_a_last_line_cut_short_is_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1], [0.5, 0.2], [0.4, 0.6]], finished=False)
    whole = (run / "metrics.jsonl").read_text()
    (run / "metrics.jsonl").write_text(whole[:-20])
    assert read_runs([run])[0][0].steps.tolist() == [0, 100]
    (run / "metrics.jsonl").write_text(whole[:-1])  # whole but for the line's end
    assert read_runs([run])[0][0].steps.tolist() == [0, 100, 200]


def test_a_run_named_twice_counts_once(tmp_path: Path) -> None:
    one, two = (write_run(tmp_path / n, [[0.1, 0.1]], seed=int(n)) for n in "12")
    runs, notes = read_runs([one, two, one / ".." / "1", two])
    assert [run.folder for run in runs] == [one, two] and notes == []


def test_a_run_without_a_test_is_named_and_left_out(tmp_path: Path) -> None:
    good = write_run(tmp_path / "good", [[0.1, 0.1]])
    empty = write_run(tmp_path / "empty", [])
    bare = write_run(tmp_path / "bare", [])
    (bare / "metrics.jsonl").unlink()
    runs, notes = read_runs([empty, good, bare])
    assert [run.folder for run in runs] == [good]
    assert [str(empty) in notes[0], str(bare) in notes[1], len(notes)] == [True, True, 2]


def test_settings_of_older_runs_are_filled_in(tmp_path: Path) -> None:
    old, new = (write_run(tmp_path / n, [[0.1, 0.1]], seed=int(n)) for n in "12")
    config = json.loads((old / "config.json").read_text())
    for name in ("schedule", "task_weights", "heads"):
        del config["settings"][name]
    (old / "config.json").write_text(json.dumps(config))
    assert len(groups_of(old, new)) == 1


# What it refuses.


def test_folders_that_are_no_runs_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, why in (
        ("none", "there is no such folder"),
        ("empty", "it has no config.json"),
        ("file", "there is no such folder"),
    ):
        error = refusal(capsys, tmp_path / name, "--output", tmp_path / "out")
        assert f"{tmp_path / name} is no run's folder: {why}; name a folder such as log/" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("{", "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[]", "has no settings"),
        ('{"settings": 3}', "has no settings"),
        ('{"settings": {"max_steps": 100, "task_time": 1, "seed": 0}}', "no tasks"),
        ('{"settings": {"tasks": [], "max_steps": 1, "task_time": 1, "seed": 0}}', "tasks []"),
        ('{"settings": {"tasks": ["id"], "task_time": 1, "seed": 0}}', "no max_steps"),
        ('{"settings": {"tasks": ["id"], "max_steps": 1, "task_time": 0}}', "task_time 0"),
        ('{"settings": {"tasks": ["id"], "max_steps": 1, "task_time": 1}}', "seed null"),
    ],
)
def test_damaged_configs_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture, config: str, expected: str
) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1]])
    (run / "config.json").write_bytes(config.encode(errors="surrogateescape"))
    error = refusal(capsys, run, "--output", tmp_path / "out")
    assert expected in error and str(run / "config.json") in error


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"step": 100, "accu', "it is not a test in JSON"),
        ("", "it is not a test in JSON"),
        ('{"step": 0, "accuracy": [0.1, 0.1]}', "expected a step beyond 0, got 0"),
        ('{"accuracy": [0.1, 0.1]}', "expected a step beyond 0, got None"),
        ('{"step": 100, "accuracy": [0.1]}', "expected an accuracy for each of 2 tasks, got 1"),
        ('{"step": 100, "accuracy": [0.1, NaN]}', "expected a list of numbers from 0 to 1"),
        ('{"step": 100, "accuracy": [0.1, 97.0]}', "expected a list of numbers from 0 to 1"),
    ],
)
def test_damaged_lines_are_refused_by_their_number(
    tmp_path: Path, capsys: pytest.CaptureFixture, line: str, expected: str
) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]])
    lines = (run / "metrics.jsonl").read_text().splitlines()
    lines[1] = line
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    error = refusal(capsys, run, "--output", tmp_path / "out")
    assert f"{run / 'metrics.jsonl'}, line 2: {expected}" in error


def test_nothing_to_report_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    empty = write_run(tmp_path / "empty", [])
    assert "nothing to report" in refusal(capsys, empty, "--output", tmp_path / "out")


def test_an_output_that_cannot_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1]])
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        assert f"--output: {output} cannot be written" in refusal(capsys, run, "--output", output)
    (tmp_path / "out" / "report.md").mkdir(parents=True)
    assert "report.md cannot be" in refusal(capsys, run, "--output", tmp_path / "out")


# How it groups and names.


def test_runs_that_differ_in_the_seed_alone_are_one_group(tmp_path: Path) -> None:
    same = {"data_dir": "a", "gpu": True, "threads": 2, "quiet": True, "train_summary_frequency": 3}
    one = write_run(tmp_path / "1", [[0.1, 0.1], [0.2, 0.2]], seed=2)
    two = write_run(tmp_path / "2", [[0.1, 0.1], [0.2, 0.2]], seed=1, **same)
    three = write_run(tmp_path / "3", [[0.1, 0.1], [0.2, 0.2]], seed=3, optimizer="adam")
    groups = groups_of(one, two, three)
    assert [[run.folder for run in group.runs] for group in groups] == [[two, one], [three]]
    assert [group.label for group in groups] == ["sgd", "adam"]
    assert [group.title for group in groups] == ["sgd (2 seeds)", "adam (seed 3)"]


def test_drawn_data_is_marked_and_never_grouped_with_real_data(tmp_path: Path) -> None:
    real = write_run(tmp_path / "1", [[0.1, 0.1]])
    drawn = write_run(tmp_path / "2", [[0.1, 0.1]], seed=1, fake_data=True)
    assert [group.label for group in groups_of(real, drawn)] == ["real data", "DRAWN DATA"]
    (alone,) = groups_of(drawn)
    assert alone.label == "DRAWN DATA, dog id"
    with house_style():
        assert draw_group(alone).get_suptitle().startswith("DRAWN DATA: ")
        both = draw_comparison(groups_of(real, drawn), "steps")
        assert both.get_suptitle().startswith("DRAWN DATA where the label says so")
        assert "DRAWN" not in draw_group(groups_of(real)[0]).get_suptitle()
    assert all(row[0].startswith("DRAWN DATA") for row in cells(make_table([alone])[0]))


def test_a_length_in_epochs_is_one_in_steps(tmp_path: Path) -> None:
    one = write_run(tmp_path / "1", [[0.1, 0.1], [0.2, 0.2]], epochs=1)
    two = write_run(tmp_path / "2", [[0.1, 0.1], [0.2, 0.2]], epochs=None, seed=1)
    assert len(groups_of(one, two)) == 1


def test_labels_leave_out_what_is_off(tmp_path: Path) -> None:
    off = write_run(tmp_path / "1", [[0.1, 0.1]], l2=0.0, optimizer="sgd", standardize=False)
    on = write_run(tmp_path / "2", [[0.1, 0.1]], l2=0.5, optimizer="adam", standardize=True)
    assert [group.label for group in groups_of(off, on)] == ["sgd", "adam, standardize on, l2 0.5"]
    alike = write_run(tmp_path / "3", [[0.1, 0.1]], l2=0.5, optimizer="sgd", standardize=True)
    # Where nothing else tells two groups apart, what is off does.
    assert groups_of(alike, on)[0].label == "sgd"
    bare = write_run(tmp_path / "4", [[0.1, 0.1]], l2=0.0, optimizer="adam", standardize=True)
    assert [group.label for group in groups_of(on, bare)] == ["l2 0.5", "l2 0.0"]


def test_runs_below_a_folder(tmp_path: Path) -> None:
    for name in ("a/deep/1", "b/2"):
        write_run(tmp_path / "log" / name, [[0.1, 0.1]], seed=int(name[-1]))
    (group,) = groups_of(tmp_path / "log", tmp_path / "log" / "b" / "2")
    assert [run.settings["seed"] for run in group.runs] == [1, 2]


def test_labels_tell_what_differs(tmp_path: Path) -> None:
    settings = [
        {"optimizer": "adam", "task_time": 2000},
        {"optimizer": "sgd", "task_time": 200},
        {"optimizer": "sgd", "schedule": "joint"},
    ]
    runs = [write_run(tmp_path / str(n), [[0.1, 0.1]], **s) for n, s in enumerate(settings)]
    assert [group.label for group in groups_of(*runs[:2])] == [
        "adam, task time 2000",
        "sgd, task time 200",
    ]
    assert [group.label for group in groups_of(*runs)] == [
        "cycle, adam, task time 2000",
        "cycle, sgd, task time 200",
        "joint, sgd",
    ]


def test_many_tasks_are_counted_and_no_two_labels_are_equal(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / str(n), [[0.1] * 10], tasks=LONG_NAMES[n : n + 10]) for n in range(2)
    ]
    assert [group.label for group in groups_of(*runs)] == ["10 tasks [1]", "10 tasks [2]"]


def test_an_equal_run_is_left_out(tmp_path: Path) -> None:
    short = write_run(tmp_path / "1", [[0.1, 0.1]], max_steps=100, finished=False)
    long = write_run(tmp_path / "2", [[0.1, 0.1], [0.2, 0.2]])
    (group,), notes = group_runs(read_runs([short, long])[0])
    assert [run.folder for run in group.runs] == [long]
    assert notes == [f"left out: {short} repeats {long}, seed and all"]


def test_data_of_other_sizes_keeps_runs_apart(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(n), [[0.1, 0.1]], seed=n) for n in range(2)]
    config = json.loads((runs[0] / "config.json").read_text())
    for run, count in zip(runs, (60, 70), strict=True):
        data = {"mnist": {"origin": "files", "train": count, "test": 10, "classes": []}}
        (run / "config.json").write_text(json.dumps({**config, "data": data}))
    labels = [group.label for group in groups_of(*runs)]
    assert labels == ["data of mnist 60+10", "data of mnist 70+10"]


# What it works out.


def test_means_and_deviations(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "0", [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]], seed=0),
        write_run(tmp_path / "1", [[0.1, 0.1], [0.7, 0.2], [0.6, 0.6]], seed=1),
    ]
    (group,) = groups_of(*runs)
    np.testing.assert_allclose(group.curves.mean[2], [0.5, 0.7, 0.6])
    np.testing.assert_allclose(group.curves.deviation[2], [0.02**0.5, 0.02**0.5, 0], atol=1e-9)
    table, _ = make_table([group])
    assert cells(table) == [
        ["dog id", "dog", "2", "200", "50.00 ± 14.14", "80.00 ± 14.14", "30.00 ± 28.28"],
        ["dog id", "id", "2", "200", "70.00 ± 14.14", "70.00 ± 14.14", "0.00 ± 0.00"],
        ["dog id", "**mean**", "2", "200", "60.00 ± 0.00", "75.00 ± 14.14", "15.00 ± 14.14"],
    ]


def test_one_seed_has_no_deviation(tmp_path: Path) -> None:
    (group,) = groups_of(write_run(tmp_path / "0", [[0.1], [0.9], [0.4]], tasks=["id"]))
    assert np.isnan(group.curves.deviation).all()
    assert cells(make_table([group])[0]) == [["id", "id", "1", "200", "40.00", "90.00", "50.00"]]


def test_unfinished_runs_are_drawn_as_far_as_they_go_and_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "0", [[0.1, 0.1], [0.2, 0.4]], finished=False, max_steps=1200)
    (group,) = groups_of(run)
    assert group.title == "dog id (seed 0, unfinished: 100 of 1,200 steps)"
    with house_style():
        assert "unfinished: 100 of 1,200 steps" in draw_group(group).get_suptitle()
    table, notes = make_table([group])
    assert cells(table)[0][3:5] == ["unfinished: 100 of 1,200 steps", "20.00"]
    assert any(f"`{run}` is unfinished: 100 of 1,200 steps" in note for note in notes)


def test_a_run_at_its_end_without_a_summary_is_unfinished(tmp_path: Path) -> None:
    run = write_run(tmp_path / "0", [[0.1, 0.1], [0.2, 0.4]], finished=False)
    assert groups_of(run)[0].first.progress == "unfinished: no summary.json after 100 steps"


def test_an_unfinished_seed_is_in_the_curves_and_not_in_the_table(tmp_path: Path) -> None:
    whole = write_run(tmp_path / "0", [[0.1, 0.1], [0.2, 0.4], [0.4, 0.6]], seed=0)
    short = write_run(
        tmp_path / "1", [[0.1, 0.1], [0.4, 0.4]], seed=1, finished=False, max_steps=200
    )
    (group,) = groups_of(whole, short)
    np.testing.assert_allclose(group.curves.mean[:, 0], [0.1, 0.3, 0.4])
    assert np.isnan(group.curves.deviation[:, 0]).tolist() == [False, False, True]
    assert group.title == "dog id (2 seeds, 1 unfinished)"
    with house_style():
        title = draw_group(group).get_suptitle()
    assert "seed 1 unfinished: 100 of 200 steps" in title and "that came so far" in title
    table, notes = make_table([group])
    assert cells(table)[0] == ["dog id", "dog", "1", "200", "40.00", "40.00", "0.00"]
    assert any("in the figures, not in the table" in note for note in notes)


def test_unfinished_seeds_alone_are_counted_up_to_where_all_are(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / str(n), accuracies, seed=n, finished=False, max_steps=900)
        for n, accuracies in enumerate([[[0.1, 0], [0.2, 0], [0.9, 0]], [[0.1, 0], [0.4, 0]]])
    ]
    row = cells(make_table(groups_of(*runs))[0])[0]
    assert row[2:5] == ["2", "unfinished: 100 of 900 steps", "30.00 ± 14.14"]


# What several tasks gain.


def write_multi_and_singles(folder: Path, **changes: object) -> list[Path]:
    """Runs on two tasks (final 0.3 and 0.9) and on each alone (final 0.4 and 0.8)."""
    return [
        write_run(folder / "multi", [[0.1, 0.1], [0.3, 0.9]], heads="multi"),
        write_run(folder / "dog", [[0.1], [0.4]], tasks=["dog"], **changes),
        write_run(folder / "id", [[0.1], [0.7], [0.8]], tasks=["id"]),
    ]


def test_the_gain_over_single_tasks(tmp_path: Path) -> None:
    groups = groups_of(*write_multi_and_singles(tmp_path))
    gain = gain_of(groups[0], groups)
    assert gain.delta == pytest.approx(((0.3 - 0.4) / 0.4 + (0.9 - 0.8) / 0.8) / 2)
    assert f"dog alone in `{tmp_path / 'dog'}` (heads shared)" in gain.note
    assert f"id alone in `{tmp_path / 'id'}` (heads shared, 200 steps)" in gain.note
    table, notes = make_table(groups)
    # 0.3/0.4 loses a quarter, 0.9/0.8 gains an eighth.
    assert [row[7] for row in cells(table)] == ["", "", "-6.25", "", ""]
    assert gain.note in notes and any("1904.08918" in note for note in notes)


def test_there_is_no_gain_where_a_task_has_no_match(tmp_path: Path) -> None:
    folders = write_multi_and_singles(tmp_path, optimizer="adam")
    groups = groups_of(*folders)
    gain = gain_of(groups[0], groups)
    assert gain.delta is None and "for dog alone" in gain.note
    assert [row[7] for row in cells(make_table(groups)[0])] == ["", "", "–", "", ""]
    assert gains_of(groups_of(folders[0])) == {}


def test_the_gain_is_taken_against_the_best_match(tmp_path: Path) -> None:
    folders = write_multi_and_singles(tmp_path)
    closer = write_run(tmp_path / "closer", [[0.1], [0.6]], tasks=["id"], heads="multi")
    groups = groups_of(*folders, closer)
    assert str(closer) in gain_of(groups[0], groups).note
    assert gain_of(groups[0], groups).delta == pytest.approx((-0.25 + 0.5) / 2)


def test_drawn_data_is_no_match_for_real_data_and_zero_for_nothing(tmp_path: Path) -> None:
    groups = groups_of(*write_multi_and_singles(tmp_path / "1", fake_data=True))
    assert "for dog alone" in gain_of(groups[0], groups).note
    zero = write_run(tmp_path / "zero", [[0.1], [0.0]], tasks=["dog"])
    groups = groups_of(tmp_path / "1" / "multi", zero, tmp_path / "1" / "id")
    assert gain_of(groups[0], groups).delta is None


# What it draws.


def test_stretches_follow_the_schedule(tmp_path: Path) -> None:
    (group,) = groups_of(write_run(tmp_path / "0", rising(2, 6), task_time=200))
    stretches, why = stretches_of(group)
    assert [(s.start, s.end, s.task) for s in stretches] == [
        (0, 200, 0),
        (200, 400, 1),
        (400, 500, 0),
    ]
    assert why == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schedule": "random"}, "drawn at random: too many stretches to shade"),
        ({"task_time": 3}, "166 switches of the task: too many stretches to shade"),
        ({"schedule": "joint"}, "all tasks are trained at every step"),
    ],
)
def test_where_nothing_is_shaded_the_figure_says_so(
    tmp_path: Path, changes: dict, expected: str
) -> None:
    (group,) = groups_of(write_run(tmp_path / "0", rising(2, 6), **changes))
    assert stretches_of(group)[0] == []
    with house_style():
        figure = draw_group(group)
    assert expected in figure.get_suptitle() and len(figure.axes) == 1


def kinds_of_runs(folder: Path) -> dict[str, list[Path]]:
    """Runs whose figures are hard to draw."""
    times = (50, 100, 200)
    # What a label tells of two groups that differ in much.
    much = [{f"setting_{letter}": f"${n}$" * 3 for letter in "abcdefgh"} for n in range(2)]
    return {
        "differing": [
            write_run(folder / f"g{n}", rising(2, 3), finished=False, max_steps=900, seed=n, **m)
            for n, m in enumerate((*much, much[1]))
        ],
        "long": [write_run(folder / "a", rising(20, 20), tasks=LONG_NAMES, task_time=100)],
        "few long": [write_run(folder / "b", rising(6, 20), tasks=LONG_NAMES[:6])],
        "short": [write_run(folder / "c", [[0.1, 0.1]], finished=False, max_steps=900)],
        "several": [
            write_run(folder / f"d{t}{s}", rising(3, 30), tasks=list("xyz"), task_time=t, seed=s)
            for t, s in itertools.product(times, range(2))
        ],
        "many": [
            write_run(folder / f"e{n}", rising(8, 20), tasks=LONG_NAMES[n : n + 8], fake_data=n > 3)
            for n in range(0, 9, 2)
        ],
        "twenty groups": [
            write_run(
                folder / f"many{n}",
                rising(2, 9),
                **{"task_time": 100 + n, "learning_rate": 0.001 * n, "l2": 1e-5 * n},
                **{"batch": 10 + n, "network": ["conv"] * (n % 4 + 1) + ["fc"], "norm": f"n{n}"},
            )
            for n in range(20)
        ],
    }


def figures_of(groups: list[Group]) -> list:
    """All the figures of the groups."""
    figures = [draw_group(group) for group in groups]
    for against, compared in (("steps", groups), ("switches", switching(groups))):
        figures += [draw_comparison(compared, against)] if len(compared) > 1 else []
    return figures


@pytest.mark.parametrize(
    "kind", ["long", "few long", "short", "several", "many", "differing", "twenty groups"]
)
def test_no_text_lies_over_another_or_off_the_figure(tmp_path: Path, kind: str) -> None:
    with house_style():
        for figure in figures_of(groups_of(*kinds_of_runs(tmp_path)[kind])):
            figure.set_dpi(100)
            figure.draw_without_rendering()
            boxes = [(text.get_text(), box) for text, box in texts_of(figure)]
            for text, box in boxes:
                inside = box.x0 >= 0 and box.x1 <= 800 and box.y0 >= 0
                assert inside and box.y1 <= figure.bbox.height, text
            for (one, first), (two, second) in itertools.combinations(boxes, 2):
                assert not overlap(first, second), f"{one!r} lies over {two!r}"
            (legend,) = figure.legends
            for axes in figure.axes:
                assert not overlap(legend.get_window_extent(), axes.bbox)


def texts_of(figure) -> list[tuple]:
    """Every text that can be seen, with its box."""
    from matplotlib.text import Text

    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    hidden = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for label in axis.findobj(Text)
        if label not in {axis.label, *axis.get_ticklabels()} or is_beyond(axis, label)
    }
    return [(text, text.get_window_extent()) for text in texts if text not in hidden]


def is_beyond(axis, label) -> bool:
    """Whether a tick's label belongs to a place outside of the axis, where none is drawn."""
    ends = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if label in (tick.label1, tick.label2)]
    return any(not ends[0] <= tick.get_loc() <= ends[1] for tick in ticks)


def overlap(one, two) -> bool:
    """Whether two boxes have more than half a pixel in common both ways."""
    width = min(one.x1, two.x1) - max(one.x0, two.x0)
    height = min(one.y1, two.y1) - max(one.y0, two.y0)
    return width > 0.5 and height > 0.5


def test_lines_can_be_told_apart_in_grey() -> None:
    looks = [look(index) for index in range(30)]
    assert len({(str(each["linestyle"]), each["marker"]) for each in looks}) == 30
    for one, two in itertools.pairwise(looks):
        assert abs(lightness(one["color"]) - lightness(two["color"])) > 40
        assert one["linestyle"] != two["linestyle"] and one["marker"] != two["marker"]
    assert len(set(MARKERS)) == len(MARKERS)


def lightness(colour: str) -> float:
    """How light a colour is in grey, from 0 to 255."""
    red, green, blue = bytes.fromhex(colour[1:])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_bands_are_drawn_for_several_seeds_alone(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / str(n), [[0.1, 0.1], [0.5 + n / 10, 0.2], [0.4, 0.8]], seed=n)
        for n in range(2)
    ]
    from matplotlib.collections import FillBetweenPolyCollection

    for chosen, bands in ((runs, 1), (runs[:1], 0)):  # the second task does not differ
        with house_style():
            figure = draw_group(groups_of(*chosen)[0])
        assert len(figure.findobj(FillBetweenPolyCollection)) == bands


def test_a_comparison_has_a_panel_for_each_task_and_the_mean(tmp_path: Path) -> None:
    groups = groups_of(
        write_run(tmp_path / "0", rising(2, 9)),
        write_run(tmp_path / "1", rising(2, 9), tasks=["id", "ref"]),
        write_run(tmp_path / "2", rising(1, 9), tasks=["ref"]),
    )
    with house_style():
        figure = draw_comparison(groups, "steps")
    lines = {axes.get_title(loc="left"): len(axes.lines) for axes in figure.axes}
    assert lines == {"dog": 1, "id": 2, "ref": 2, "mean over the tasks": 2}


def test_switches_are_counted_by_the_schedule(tmp_path: Path) -> None:
    fast = write_run(tmp_path / "0", rising(2, 9), task_time=200)
    slow = write_run(tmp_path / "1", rising(2, 9), task_time=400)
    joint = write_run(tmp_path / "2", rising(2, 9), schedule="joint")
    # Where every step draws its task, a switch is no event to count by.
    random = write_run(tmp_path / "3", rising(2, 9), schedule="random")
    groups = groups_of(fast, slow, joint, random)
    assert switching(groups) == groups[:2]
    with house_style():
        figure = draw_comparison(switching(groups), "switches")
    lines = figure.axes[0].lines
    assert [line.get_xdata().tolist() for line in lines] == [[0, 1, 2, 3], [0, 1]]
    # The last tests before a switch are those at steps 200, 400, 600 and 800.
    np.testing.assert_allclose(lines[0].get_ydata(), [100 * n / 9 for n in (2, 4, 6, 8)])


def test_figures_are_there_as_png_and_svg(tmp_path: Path) -> None:
    groups = groups_of(
        write_run(tmp_path / "0", rising(10, 9), tasks=LONG_NAMES[:10]),
        write_run(tmp_path / "1", rising(10, 9), tasks=LONG_NAMES[:10], task_time=100),
    )
    written = write_figures(groups, tmp_path)
    stems = ["group_1", "group_2", "against_steps", "against_switches"]
    assert [path.name for path in written] == [f"{s}.{e}" for s in stems for e in ("png", "svg")]
    for png, svg in zip(written[::2], written[1::2], strict=True):
        with Image.open(png) as image:
            image.load()
            assert image.width == 1600
        ElementTree.parse(svg)
    texts = "".join(ElementTree.parse(tmp_path / "group_1.svg").getroot().itertext())
    assert all(name in texts for name in LONG_NAMES[:10])


def test_equal_runs_give_equal_files(tmp_path: Path) -> None:
    folders = [tmp_path / "runs" / f"{time}{seed}" for time in (1, 2) for seed in (1, 2)]
    for folder in folders:
        time, seed = map(int, folder.name)
        write_run(folder, rising(2, 9), task_time=100 * time, seed=seed)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_figures(groups_of(*folders), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


# The command.


def test_the_command_as_a_user_runs_it(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(n), rising(2, 9), seed=n) for n in range(2)]
    runs.append(write_run(tmp_path / "adam|", rising(2, 9), optimizer="adam"))
    unfinished = write_run(tmp_path / "cut", rising(2, 3), task_time=9, max_steps=900)
    empty = write_run(tmp_path / "empty", [])
    output = tmp_path / "out"
    result = run_report(*runs, unfinished, empty, "--output", output, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"left out: {empty}" in result.stdout
    assert "unfinished: 200 of 900 steps" in result.stdout
    for path in output.iterdir():
        assert f"  {path}\n" in result.stdout
    text = (output / "report.md").read_text(encoding="utf-8")
    assert text.count("![") == len(list(output.glob("*.png"))) == 5
    assert all(f"]({path.name})" in text for path in output.glob("*.png"))
    assert "± " in text and f"left out: {empty}" in text
    assert all(str(run).replace("|", "\\|") in text or str(run) in text for run in runs)


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    for arguments in (["--output", "x"], ["--nonsense", "x"], [tmp_path / "two\nlines"]):
        result = run_report(*arguments)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_help_waits_for_no_library() -> None:
    code = "import sys, report\ntry: report.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'numpy', 'matplotlib', 'tensorflow'} & set(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "--output DIR" in output and output.endswith("[]\n")


def test_a_report_needs_no_tensorflow(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rising(2, 4))
    code = "import sys, report\nsys.modules['tensorflow'] = None\nprint(report.main(sys.argv[1:]))"
    arguments = [sys.executable, "-c", code, str(run), "--output", str(tmp_path / "out")]
    result = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.endswith("0\n"), result.stderr
    shutil.rmtree(tmp_path / "out")
