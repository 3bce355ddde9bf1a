from collections.abc import Sequence
from pathlib import Path

import pytest

from reports.answers import answers_to
from reports.questions import questions_of
from tests.support.run_folders import make_groups


def runs(*finals: float, best: float = 0.9, **settings: object) -> list[dict]:
    """Returns a run for each final accuracy in percent, with seeds from 0, of two tasks.

    They are trained in turn where the task time is 100.
    """
    return [
        {"accuracies": [[0.1] * 2, [best] * 2, [final / 100] * 2], "seed": seed} | settings
        for seed, final in enumerate(finals)
    ]


def answers(folder: Path, runs: list[dict], varied: Sequence[str] | None = None) -> list[str]:
    """Returns the sentences on runs with these settings."""
    return answers_to(questions_of(make_groups(folder, *runs), varied))


SEEDS = "pairs of runs with equal seeds"
TURNS = {"task_time": 100}


def test_a_difference_and_its_interval_by_hand(tmp_path: Path) -> None:
    # 2, 3 and 4 points: 3 ± 4.303 · 1 / √3. The order of the runs is of no account.
    made = runs(62, 73, 54, batch=200, **TURNS) + runs(60, 70, 50, batch=50, **TURNS)
    expected = (
        "batch 200 in place of 50: final average accuracy 3.0 points higher (95 % interval 0.5 "
        "to 5.5); forgetting 3.0 points less (95 % interval 0.5 to 5.5); 3 " + SEEDS
    )
    assert answers(tmp_path, made) == [expected]


def test_an_interval_that_holds_0_is_within_the_noise(tmp_path: Path) -> None:
    # -1, -2 and -6 points: a deviation of √7, and so -3 ± 4.303 · √7 / √3.
    made = runs(60, 70, 50, optimizer="sgd", best=0.4, **TURNS)
    made += runs(59, 68, 44, optimizer="adam", **TURNS)
    (sentence,) = answers(tmp_path, made)
    assert sentence.startswith(
        "adam in place of sgd: final average accuracy within the noise (3.0 points lower, 95 % "
        "interval -3.6 to 9.6); forgetting "
    )


def test_no_difference_is_no_noise(tmp_path: Path) -> None:
    made = runs(60, 70, optimizer="sgd", **TURNS) + runs(60, 70, optimizer="adam", **TURNS)
    same = "final average accuracy the same; forgetting the same; 2 "
    assert answers(tmp_path, made) == [f"adam in place of sgd: {same}{SEEDS}"]


def test_equal_means_of_other_accuracies_are_no_difference(tmp_path: Path) -> None:
    # In binary their means differ in the last bit.
    made = [{"accuracies": [[0, 0], final], "seed": 0} for final in ([0.01, 0.05], [0.03, 0.03])]
    made[1]["optimizer"] = "adam"
    assert "final average accuracy the same;" in answers(tmp_path, made)[0]


def test_a_small_difference_is_not_rounded_to_0(tmp_path: Path) -> None:
    made = runs(60, 70, optimizer="sgd") + runs(60.02, 70.02, optimizer="adam")
    assert "0.02 points higher (95 % interval 0.02 to 0.02)" in answers(tmp_path, made)[0]


def test_one_seed_tells_nothing_of_the_noise(tmp_path: Path) -> None:
    made = runs(60, optimizer="sgd", **TURNS) + runs(63, optimizer="adam", **TURNS)
    expected = (
        "adam in place of sgd: final average accuracy 3.0 points higher; forgetting 3.0 points "
        "less; 1 pair of runs with equal seeds, all of one seed, which tells nothing of the noise"
    )
    assert answers(tmp_path / "one", made) == [expected]
    # Of the differences between other settings neither.
    made += runs(50, optimizer="sgd", task_time=9) + runs(55, optimizer="adam", task_time=9)
    sentence = answers(tmp_path / "two", made)[1]
    assert "4.0 points higher;" in sentence and "2 pairs" in sentence and "one seed" in sentence


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        # With an order: each with the one before it, and the last with the first.
        ("task_time", (200, 50, 9), [(50, 9), (200, 50), (200, 9)]),
        ("filters", ([64], [8], [16]), [(16, 8), (64, 16), (64, 8)]),
        (
            "filters",
            ([32, 64], [8, 16], [8, 64]),
            [("8 64", "8 16"), ("32 64", "8 64"), ("32 64", "8 16")],
        ),
        ("learning_rate", (0.5, 1e-3), [(0.5, 0.001)]),
        # Without one: each with the default, or else with the first named.
        ("norm", ("none", "batch", "lrn"), [("none", "batch"), ("lrn", "batch")]),
        ("norm", ("none", "lrn"), [("lrn", "none")]),
        ("filters", ([64, 8], [8, 64], [9]), [("8 64", "64 8"), ("9", "64 8")]),
        ("hidden_units", (9, None, 5), [("none", 9), (5, 9)]),
        ("standardize", (True, False), [("on", "off")]),
    ],
)
def test_which_values_are_compared(
    tmp_path: Path, name: str, values: tuple, expected: list[tuple]
) -> None:
    network = ["conv", "fc", "fc"]  # so that it has hidden units
    found = answers(tmp_path, [{name: each, "network": network, "seed": 0} for each in values])
    words = name.replace("_", " ")
    assert [sentence.partition(":")[0] for sentence in found] == [
        f"{words} {new} in place of {old}" for new, old in expected
    ]


def test_pairs_are_equal_in_the_other_settings(tmp_path: Path) -> None:
    # Adam is 2 points better at each task time, of which one has more seeds.
    made = runs(80, 81, 82, optimizer="sgd", task_time=9)
    made += runs(82, 83, optimizer="adam", task_time=9)
    made += runs(20, optimizer="sgd", task_time=200) + runs(22, 23, optimizer="adam", task_time=200)
    time, optimizer = answers(tmp_path / "both", made, ["task_time", "optimizer"])
    expected = "final average accuracy 2.0 points higher (95 % interval 2.0 to 2.0); 3"
    assert optimizer.startswith(f"adam in place of sgd: {expected}")
    assert optimizer.endswith(f"; 3 {SEEDS}, 2 seeds") and time.endswith(f"; 3 {SEEDS}, 2 seeds")
    # Also where nobody said that the task time was varied.
    assert answers(tmp_path / "one", made, ["optimizer"]) == [optimizer]


def test_pairs_of_one_seed_count_once(tmp_path: Path) -> None:
    # By seed 1 and 3 points at one task time, 3 and 5 at the other: 2 and 4, and so 3 ± 12.706.
    made = [
        *(runs(60, 70, optimizer="sgd") + runs(61, 73, optimizer="adam")),
        *(runs(60, 70, optimizer="sgd", task_time=9) + runs(63, 75, optimizer="adam", task_time=9)),
    ]
    (sentence,) = answers(tmp_path, made, ["optimizer"])
    assert "within the noise (3.0 points higher, 95 % interval -9.7 to 15.7)" in sentence
    assert sentence.endswith(f"; 4 {SEEDS}, 2 seeds")


def test_only_finished_runs_with_a_partner_are_compared(tmp_path: Path) -> None:
    cut = {"finished": False, "max_steps": 200}
    made = [*runs(60, 70, 80, optimizer="sgd"), *runs(61, 71, optimizer="adam")]
    made += [runs(0, 0, 0, optimizer="adam", **cut)[2]]
    assert answers(tmp_path / "some", made)[0].endswith(f"; 2 {SEEDS}")
    made = runs(60, 70, optimizer="sgd") + runs(61, 71, optimizer="adam", **cut)
    reason = "as no two finished runs have equal seeds and differ in the optimizer alone"
    assert answers(tmp_path / "none", made) == [f"optimizer: not compared, {reason}"]
    made = runs(60, task_time=9) + runs(60, task_time=50) + runs(60, task_time=200, seed=5)
    found = answers(tmp_path / "one", made)
    reason = "not compared, as no two finished runs have equal seeds"
    assert found[1] == f"task time 200 in place of 50: {reason}"


def test_what_follows_from_a_setting_belongs_to_its_answer(tmp_path: Path) -> None:
    made = runs(60, 70, optimizer="sgd", learning_rate=0.1)
    made += runs(62, 72, optimizer="adam", learning_rate=0.001)
    expected = "adam in place of sgd, and with it learning rate 0.001 in place of 0.1: final"
    for varied in (None, ["optimizer"], ["optimizer", "learning_rate"]):
        (sentence,) = answers(tmp_path / str(varied), made, varied)
        assert sentence.startswith(expected)
    # At other task times other learning rates follow.
    made += runs(60, 70, optimizer="sgd", learning_rate=0.3, task_time=9)
    made += runs(62, 72, optimizer="adam", learning_rate=0.002, task_time=9)
    _, sentence = answers(tmp_path / "others", made, ["task_time", "optimizer"])
    assert sentence.startswith("adam in place of sgd, and with it other values of learning rate: ")


def test_runs_on_other_tasks_or_on_drawn_data_are_not_compared(tmp_path: Path) -> None:
    tasks = (["id", "ref"], ["dog", "ref"])
    made = [run for each in tasks for run in runs(60, 70, tasks=each)]
    (sentence,) = answers(tmp_path / "tasks", made)
    assert sentence.startswith("tasks: not compared") and sentence.endswith("in another order")
    made = [run for each in (["id", "ref"], ["ref", "id"]) for run in runs(60, 70, tasks=each)]
    assert answers(tmp_path / "order", made)[0].startswith("ref id in place of id ref: final")
    made = runs(60, 70, fake_data=True) + runs(70, 80)
    assert answers(tmp_path / "drawn", made) == []
    (sentence,) = answers(tmp_path / "both", [*made[:2], *runs(70, 80, optimizer="adam")])
    assert sentence.startswith("optimizer: not compared")


def test_one_task_has_no_forgetting(tmp_path: Path) -> None:
    made = [
        {"accuracies": [[0.5], [0.6 + n / 10]], "tasks": ["id"], "optimizer": name, "seed": 0}
        for n, name in enumerate(("sgd", "adam"))
    ]
    (sentence,) = answers(tmp_path, made)
    assert "10.0 points higher; 1 pair" in sentence and "forgetting" not in sentence


def test_runs_without_a_matrix_are_compared_in_what_they_have(tmp_path: Path) -> None:
    made = runs(60, optimizer="sgd", task_time=50) + runs(63, optimizer="adam", task_time=50)
    (sentence,) = answers(tmp_path, made)  # no evaluation at the ends of the first turns
    assert "3.0 points higher; 1 pair" in sentence and "forgetting" not in sentence


def test_runs_that_differ_in_much_ask_no_question(tmp_path: Path) -> None:
    settings = {"optimizer": "adam", "batch": 5, "l2": 0.5, "image_size": 9}
    made = runs(60) + [run for each in settings.items() for run in runs(60, **dict([each]))]
    assert answers(tmp_path / "4", made) == []
    assert len(answers(tmp_path / "3", made[:-1])) == 3
    assert len(answers(tmp_path / "named", made, list(settings))) == 4


def test_seeds_alone_ask_no_question(tmp_path: Path) -> None:
    assert answers(tmp_path, runs(60, 70), []) == []


def test_epochs_are_asked_about_as_steps(tmp_path: Path) -> None:
    made = [{"accuracies": [[0.5, 0.5]] * (1 + n), "epochs": n, "seed": 0} for n in (1, 2)]
    (sentence,) = answers(tmp_path, made, ["epochs"])
    assert sentence.startswith("200 steps in place of 100: ")


def test_a_sweep_and_the_report_give_one_answer(tmp_path: Path) -> None:
    made = [
        {"optimizer": optimizer, "task_time": time, "seed": seed}
        for optimizer in ("sgd", "adam")
        for time in (200, 9)
        for seed in (0, 1)
    ]
    groups = make_groups(tmp_path, *made)
    found = answers_to(questions_of(groups))
    assert len(found) == 2 and found == answers_to(questions_of(groups, ["task_time", "optimizer"]))


def test_names_from_outside_are_printable(tmp_path: Path) -> None:
    made = runs(60) + runs(60, weights="w\x1b[31m\n| **b**")
    (sentence,) = answers(tmp_path, made)
    assert sentence.startswith("weights w\\x1b[31m | **b** in place of none: ")
