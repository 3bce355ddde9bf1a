import pytest

from metrics import at_last_switch, summarize


def history(*tests):
    """Tests at steps 0, 10, …: each the task just trained, and the tasks' accuracies."""
    return [
        {"step": 10 * number, "trained": trained, "accuracy": list(accuracies)}
        for number, (trained, accuracies) in enumerate(tests)
    ]


TWO_TASKS = history(
    (None, (0.1, 0.1)),
    (0, (0.8, 0.2)),
    (0, (0.9, 0.1)),  # then a switch from task 0 to task 1
    (1, (0.3, 0.7)),
    (1, (0.2, 0.6)),
)


def test_summary_by_hand():
    summary = summarize(TWO_TASKS, ["id", "dog"], task_time=20)
    first, second = summary["tasks"]
    assert first == {
        "name": "id",
        "best": 0.9,
        "best_step": 20,
        "final": 0.2,
        "at_last_switch": 0.9,
        "forgetting": pytest.approx(0.7),
    }
    assert second["best"] == 0.7
    assert second["final"] == 0.6
    assert second["forgetting"] == pytest.approx(0.1)
    assert second["at_last_switch"] is None  # it was trained to the end
    assert summary["mean"] == {
        "best": pytest.approx(0.8),
        "final": pytest.approx(0.4),
        "at_last_switch": 0.9,
        "forgetting": pytest.approx(0.4),
    }


def test_last_of_several_switches():
    tests = [(None, (0, 0)), (0, (0.5, 0)), (1, (0.1, 0.6)), (0, (0.7, 0.2)), (1, (0.3, 0.9))]
    assert at_last_switch(history(*tests), 0, task_time=10) == 0.7
    assert at_last_switch(history(*tests), 1, task_time=10) == 0.6


def test_a_switch_and_back_between_two_tests_counts():
    """Tests at 10, 20 and 30 and turns of 5 steps: every test ends a turn of the second task."""
    tests = [(None, (0, 0)), (1, (0.5, 0.3)), (1, (0.1, 0.6)), (1, (0.7, 0.2))]
    assert at_last_switch(history(*tests), 1, task_time=5) == 0.6
    assert at_last_switch(history(*tests), 0, task_time=5) is None  # never tested in its turns


def test_a_turn_that_goes_on_is_not_over():
    tests = [(None, (0, 0)), (0, (0.5, 0.3)), (0, (0.7, 0.2))]
    assert at_last_switch(history(*tests), 0, task_time=100) is None


def test_one_task_is_never_switched_from():
    summary = summarize(history((None, (0.1,)), (0, (0.5,)), (0, (0.9,))), ["id"], task_time=10)
    assert summary["tasks"][0]["at_last_switch"] is None
    assert summary["mean"]["at_last_switch"] is None
