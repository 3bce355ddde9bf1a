from pathlib import Path

import pytest

from reports.choice import DEFAULT, Choice, make_choice
from reports.groups import Group
from reports.metrics import METRICS
from reports.plan import plan_figures
from reports.quantities import QUANTITIES
from reports.table import make_task_table
from tasks.schedule import Random
from tests.support.run_folders import cells, make_groups, notes_on, overview

RISEN_FALLEN = {"accuracies": [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]}
# dog, id, dog
RETURNING = {"accuracies": [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8], [0.7, 0.5]], "task_time": 100}


def task_rows(groups: list[Group], choice: Choice = DEFAULT) -> list[list[str]]:
    """Returns the cells of the table of the tasks."""
    return cells(make_task_table(groups, choice))


def column(groups: list[Group], heading: str, choice: Choice = DEFAULT) -> list[str]:
    """Returns a column of the table of the groups, with the best in stars."""
    table = overview(groups, choice)
    found = [row[list(table.headings).index(heading)] for row in table.rows]
    return [f"*{cell.text}*" if cell.best else cell.text for cell in found]


def test_the_tables_have_means_and_deviations(tmp_path: Path) -> None:
    other_seed = {"accuracies": [[0.1, 0.1], [0.7, 0.2], [0.6, 0.6]]}
    groups = make_groups(tmp_path, RISEN_FALLEN, other_seed)
    assert make_task_table(groups, DEFAULT).headings[-1] == "drop from best, %"
    assert task_rows(groups) == [
        ["dog id", "dog", "50.00 ± 14.14", "80.00 ± 14.14", "30.00 ± 28.28"],
        ["dog id", "id", "70.00 ± 14.14", "70.00 ± 14.14", "0.00 ± 0.00"],
        ["dog id", "mean", "60.00 ± 0.00", "75.00 ± 14.14", "15.00 ± 14.14"],
    ]
    expected = ["dog id", "2", "200", "60.00 ± 0.00", "50.00 ± 14.14", "70.00 ± 14.14"]
    assert cells(overview(groups)) == [expected]


def test_the_forgetting_of_tasks_that_return(tmp_path: Path) -> None:
    groups = make_groups(tmp_path / "returning", RETURNING)
    headings = ["final, %", "best, %", "forgetting, %", "per return, %"]
    assert make_task_table(groups, DEFAULT).headings[2:] == headings
    assert task_rows(groups) == [
        ["dog id", "dog", "70.00", "90.00", "–", "50.00"],
        ["dog id", "id", "50.00", "80.00", "30.00", "–"],
        ["dog id", "mean", "60.00", "85.00", "30.00", "50.00"],
    ]
    assert sum("1801.10112" in note for note in notes_on(groups)) == 1
    # Beside a run without turns both have the drop from best, and that one no forgetting.
    runs = RETURNING | {"seed": 0}, RISEN_FALLEN | {"seed": 0, "schedule": "random"}
    groups = make_groups(tmp_path / "both", *runs)
    rows = task_rows(groups)
    assert rows[2][-5:] == ["60.00", "85.00", "30.00", "50.00", "25.00"]
    assert rows[5][-5:] == ["60.00", "85.00", "–", "–", "25.00"]
    assert column(groups, "forgetting, %") == ["30.00", "–"]


def test_the_best_of_comparable_groups_is_marked(tmp_path: Path) -> None:
    def run(*finals: float, **settings: object) -> dict:
        accuracies = [[0.1] * 2, [0.9] * 2, [each / 100 for each in finals]]
        return {"accuracies": accuracies, "task_time": 100, "seed": 0} | settings

    groups = make_groups(
        tmp_path,
        run(50, 70),
        run(60, 70, batch=1),
        # Of no other group's kind: other tasks, drawn data, an unfinished run.
        run(80, 80, tasks=["id", "ref"]),
        run(90, 90, fake_data=True),
        run(99, 99, batch=2, finished=False),
        # As good, as it is shown.
        run(60, 70.0001, batch=3),
    )
    expected = ["60.00", "*65.00*", "80.00", "90.00", "99.00", "*65.00*"]
    assert column(groups, "final average accuracy, %") == expected
    # Of the first task, which was not trained last. The least is the best.
    expected = ["40.00", "*30.00*", "10.00", "0.00", "-9.00", "*30.00*"]
    assert column(groups, "forgetting, %") == expected
    assert column(groups[:1], "final dog, %") == ["50.00"]


def test_a_choice_of_metrics_and_tasks(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, RETURNING)
    choice = make_choice(["relearning_steps", "savings"], ["id"])
    headings = ["runs", "seeds", "steps", "relearning steps", "final id, %"]
    assert overview(groups, choice).headings == headings  # no task has savings
    assert [row[1] for row in task_rows(groups, choice)] == ["id", "mean"]
    assert any("up to 100 steps apart" in note for note in notes_on(groups, choice))
    assert not any("steps apart" in note for note in notes_on(groups))


def test_every_metric_can_be_chosen() -> None:
    assert tuple(QUANTITIES) == METRICS


def test_one_seed_has_no_deviation_and_one_task_no_mean(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, {"accuracies": [[0.1], [0.9], [0.4]], "tasks": ["id"]})
    assert task_rows(groups) == [["id", "id", "40.00", "90.00", "50.00"]]


def test_no_schedule_is_drawn_for_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take minutes where the last step, of a file that was edited, is 10^10."""
    monkeypatch.setattr(Random, "draw_block", lambda self, number: pytest.fail("drawn"))
    groups = make_groups(tmp_path, RISEN_FALLEN | {"schedule": "random"})
    assert task_rows(groups)[-1][-3:] == ["60.00", "85.00", "25.00"]
    of_all, of_each = plan_figures(groups)
    assert not of_all
    of_each["accuracy-of-dog-id"]()


def test_an_unfinished_run_is_measured_at_its_last_evaluation(tmp_path: Path) -> None:
    cut = {"accuracies": [[0.1, 0.1], [0.2, 0.4]], "finished": False}
    groups = make_groups(tmp_path, cut | {"max_steps": 1200})
    assert cells(overview(groups))[0][2:4] == ["unfinished: 100 of 1,200 steps", "30.00"]
    assert any("/0` is unfinished: 100 of 1,200 steps" in note for note in notes_on(groups))
    groups = make_groups(tmp_path / "at its end", cut)
    assert cells(overview(groups))[0][2] == "unfinished: no summary.json after 100 steps"


def test_an_unfinished_seed_beside_finished_ones_is_not_in_the_tables(tmp_path: Path) -> None:
    short = {"accuracies": [[0.4, 0.4]], "finished": False, "max_steps": 200}
    groups = make_groups(tmp_path, RISEN_FALLEN, short)
    assert task_rows(groups)[0] == ["dog id", "dog", "40.00", "90.00", "50.00"]
    assert cells(overview(groups))[0][1] == "1"
    assert any("in the figures, not in the tables" in note for note in notes_on(groups))


def test_unfinished_seeds_are_measured_at_a_step_that_all_have_reached(tmp_path: Path) -> None:
    accuracies = [[[0.1, 0], [0.2, 0], [0.9, 0]], [[0.1, 0], [0.4, 0]]]
    cut = [{"accuracies": each, "finished": False, "max_steps": 900} for each in accuracies]
    groups = make_groups(tmp_path, *cut)
    assert cells(overview(groups))[0][1:3] == ["2", "unfinished: 100 of 900 steps"]
    assert task_rows(groups)[0][2] == "30.00 ± 14.14"


def test_many_tasks_have_no_column_each(tmp_path: Path) -> None:
    tasks = [f"task {n}" for n in range(7)]
    groups = make_groups(tmp_path, {"tasks": tasks})
    assert overview(groups).headings[-1] == "final average accuracy, %"
    assert len(task_rows(groups)) == 8
