from pathlib import Path

import pytest

from reports.figures import plan_figures
from reports.table import make_report, make_table
from tasks.schedule import Random
from tests.support.run_folders import cells, make_groups

RISEN_FALLEN = {"accuracies": [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]}


def test_the_table_has_means_and_deviations(tmp_path: Path) -> None:
    other_seed = {"accuracies": [[0.1, 0.1], [0.7, 0.2], [0.6, 0.6]]}
    table, _ = make_table(make_groups(tmp_path, RISEN_FALLEN, other_seed))
    assert "| drop from best, % |" in table
    assert cells(table) == [
        ["dog id", "dog", "2", "200", "50.00 ± 14.14", "80.00 ± 14.14", "30.00 ± 28.28"],
        ["dog id", "id", "2", "200", "70.00 ± 14.14", "70.00 ± 14.14", "0.00 ± 0.00"],
        ["dog id", "**mean**", "2", "200", "60.00 ± 0.00", "75.00 ± 14.14", "15.00 ± 14.14"],
    ]


def test_the_forgetting_of_tasks_that_return(tmp_path: Path) -> None:
    accuracies = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8], [0.7, 0.5]]  # dog, id, dog
    returning = {"accuracies": accuracies, "task_time": 100}
    groups = make_groups(tmp_path / "returning", returning)
    table, notes = make_table(groups)
    assert "| forgetting, % | per return, % |" in table and "drop from best" not in table
    assert cells(table) == [
        ["dog id", "dog", "1", "300", "70.00", "90.00", "–", "50.00"],
        ["dog id", "id", "1", "300", "50.00", "80.00", "30.00", "–"],
        ["dog id", "**mean**", "1", "300", "60.00", "85.00", "30.00", "50.00"],
    ]
    assert sum("1801.10112" in note for note in notes) == 1
    # Beside a run without turns both have the drop from best, and that one no forgetting.
    runs = returning | {"seed": 0}, RISEN_FALLEN | {"seed": 0, "schedule": "random"}
    rows = cells(make_table(make_groups(tmp_path / "both", *runs))[0])
    assert rows[2][-5:] == ["60.00", "85.00", "30.00", "50.00", "25.00"]
    assert rows[5][-5:] == ["60.00", "85.00", "–", "–", "25.00"]


def test_one_seed_has_no_deviation_and_one_task_no_mean(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, {"accuracies": [[0.1], [0.9], [0.4]], "tasks": ["id"]})
    assert cells(make_table(groups)[0]) == [["id", "id", "1", "200", "40.00", "90.00", "50.00"]]


def test_no_schedule_is_drawn_for_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take minutes where the last step, of a file that was edited, is 10^10."""
    monkeypatch.setattr(Random, "draw_block", lambda self, number: pytest.fail("drawn"))
    groups = make_groups(tmp_path, RISEN_FALLEN | {"schedule": "random"})
    assert cells(make_table(groups)[0])[-1][-3:] == ["60.00", "85.00", "25.00"]
    plan_figures(groups)["group_1"]()


def test_drawn_data_is_marked(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, {"fake_data": True})
    table, notes = make_table(groups)
    assert all(row[0].startswith("DRAWN DATA") for row in cells(table))
    assert "**DRAWN DATA: says nothing" in make_report(groups, [], table, notes, [])


def test_an_unfinished_run_is_measured_at_its_last_evaluation(tmp_path: Path) -> None:
    cut = {"accuracies": [[0.1, 0.1], [0.2, 0.4]], "finished": False}
    table, notes = make_table(make_groups(tmp_path, cut | {"max_steps": 1200}))
    assert cells(table)[0][3:5] == ["unfinished: 100 of 1,200 steps", "20.00"]
    assert any("/0` is unfinished: 100 of 1,200 steps" in note for note in notes)
    table, _ = make_table(make_groups(tmp_path / "at its end", cut))
    assert cells(table)[0][3] == "unfinished: no summary.json after 100 steps"


def test_an_unfinished_seed_beside_finished_ones_is_not_in_the_table(tmp_path: Path) -> None:
    short = {"accuracies": [[0.4, 0.4]], "finished": False, "max_steps": 200}
    table, notes = make_table(make_groups(tmp_path, RISEN_FALLEN, short))
    assert cells(table)[0] == ["dog id", "dog", "1", "200", "40.00", "90.00", "50.00"]
    assert any("in the figures, not in the table" in note for note in notes)


def test_unfinished_seeds_are_measured_at_a_step_that_all_have_reached(tmp_path: Path) -> None:
    accuracies = [[[0.1, 0], [0.2, 0], [0.9, 0]], [[0.1, 0], [0.4, 0]]]
    cut = [{"accuracies": each, "finished": False, "max_steps": 900} for each in accuracies]
    row = cells(make_table(make_groups(tmp_path, *cut))[0])[0]
    assert row[2:5] == ["2", "unfinished: 100 of 900 steps", "30.00 ± 14.14"]
