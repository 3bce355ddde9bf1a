import pytest

from reports.metrics import at_last_switch, summarize
from tasks.schedule import Cycle, Joint


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
    summary = summarize(TWO_TASKS, ["id", "dog"], Cycle(2, 20).switches)
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
    assert at_last_switch(history(*tests), 0, Cycle(2, 10).switches) == 0.7
    assert at_last_switch(history(*tests), 1, Cycle(2, 10).switches) == 0.6


def test_a_switch_and_back_between_two_tests_counts():
    """Tests at 10, 20 and 30 and turns of 5 steps: every test ends a turn of the second task."""
    tests = [(None, (0, 0)), (1, (0.5, 0.3)), (1, (0.1, 0.6)), (1, (0.7, 0.2))]
    assert at_last_switch(history(*tests), 1, Cycle(2, 5).switches) == 0.6
    assert (
        at_last_switch(history(*tests), 0, Cycle(2, 5).switches) is None
    )  # never tested in its turns


def test_a_turn_that_goes_on_is_not_over():
    tests = [(None, (0, 0)), (0, (0.5, 0.3)), (0, (0.7, 0.2))]
    assert at_last_switch(history(*tests), 0, Cycle(2, 100).switches) is None


def test_one_task_is_never_switched_from():
    summary = summarize(
        history((None, (0.1,)), (0, (0.5,)), (0, (0.9,))), ["id"], Cycle(1, 10).switches
    )
    assert summary["tasks"][0]["at_last_switch"] is None
    assert summary["mean"]["at_last_switch"] is None


def test_tasks_that_are_trained_together_are_never_switched_from():
    tests = history((None, (0.1, 0.2)), (None, (0.5, 0.6)), (None, (0.9, 0.4)))
    summary = summarize(tests, ["id", "dog"], Joint(2).switches)
    assert [task["at_last_switch"] for task in summary["tasks"]] == [None, None]
    assert summary["tasks"][1]["forgetting"] == pytest.approx(0.2)
