from pathlib import Path

from reports.table import make_table
from tests.support.run_folders import cells, groups_of, write_run


def test_the_table_has_means_and_deviations(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "0", [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]], seed=0),
        write_run(tmp_path / "1", [[0.1, 0.1], [0.7, 0.2], [0.6, 0.6]], seed=1),
    ]
    table, _ = make_table(groups_of(*runs))
    assert "| drop from best, % |" in table
    assert cells(table) == [
        ["dog id", "dog", "2", "200", "50.00 ± 14.14", "80.00 ± 14.14", "30.00 ± 28.28"],
        ["dog id", "id", "2", "200", "70.00 ± 14.14", "70.00 ± 14.14", "0.00 ± 0.00"],
        ["dog id", "**mean**", "2", "200", "60.00 ± 0.00", "75.00 ± 14.14", "15.00 ± 14.14"],
    ]


def test_one_seed_has_no_deviation_and_one_task_no_mean(tmp_path: Path) -> None:
    groups = groups_of(write_run(tmp_path / "0", [[0.1], [0.9], [0.4]], tasks=["id"]))
    assert cells(make_table(groups)[0]) == [["id", "id", "1", "200", "40.00", "90.00", "50.00"]]


def test_drawn_data_is_marked(tmp_path: Path) -> None:
    groups = groups_of(write_run(tmp_path / "0", [[0.1, 0.1]], fake_data=True))
    assert all(row[0].startswith("DRAWN DATA") for row in cells(make_table(groups)[0]))


def test_an_unfinished_run_is_measured_at_its_last_evaluation(tmp_path: Path) -> None:
    run = write_run(tmp_path / "0", [[0.1, 0.1], [0.2, 0.4]], finished=False, max_steps=1200)
    table, notes = make_table(groups_of(run))
    assert cells(table)[0][3:5] == ["unfinished: 100 of 1,200 steps", "20.00"]
    assert any(f"`{run}` is unfinished: 100 of 1,200 steps" in note for note in notes)


def test_an_unfinished_seed_beside_finished_ones_is_not_in_the_table(tmp_path: Path) -> None:
    whole = write_run(tmp_path / "0", [[0.1, 0.1], [0.2, 0.4], [0.4, 0.6]], seed=0)
    short = write_run(tmp_path / "1", [[0.4, 0.4]], seed=1, finished=False, max_steps=200)
    table, notes = make_table(groups_of(whole, short))
    assert cells(table)[0] == ["dog id", "dog", "1", "200", "40.00", "40.00", "0.00"]
    assert any("in the figures, not in the table" in note for note in notes)


def test_unfinished_seeds_alone_are_measured_at_a_step_that_all_have_reached(
    tmp_path: Path,
) -> None:
    runs = [
        write_run(tmp_path / str(n), accuracies, seed=n, finished=False, max_steps=900)
        for n, accuracies in enumerate([[[0.1, 0], [0.2, 0], [0.9, 0]], [[0.1, 0], [0.4, 0]]])
    ]
    row = cells(make_table(groups_of(*runs))[0])[0]
    assert row[2:5] == ["2", "unfinished: 100 of 900 steps", "30.00 ± 14.14"]
