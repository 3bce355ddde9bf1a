import pytest

from reports.metrics import at_last_switch, summarize
from runs.history import Evaluation
from tasks.schedule import Cycle, Joint


def history(*evaluations):
    """Returns evaluations at steps 0, 10, …, of the task just trained and all accuracies."""
    return [
        Evaluation(10 * number, trained, accuracies, loss=())
        for number, (trained, accuracies) in enumerate(evaluations)
    ]


def test_summary_by_hand():
    two_tasks = history(
        (None, (0.1, 0.1)),
        (0, (0.8, 0.2)),
        (0, (0.9, 0.1)),  # then a switch from task 0 to task 1
        (1, (0.3, 0.7)),
        (1, (0.2, 0.6)),
    )
    summary = summarize(two_tasks, ["id", "dog"], Cycle(2, 20).switches)
    first, second = summary["tasks"]
    assert first == {
        "name": "id",
        "best": 0.9,
        "best_step": 20,
        "final": 0.2,
        "at_last_switch": 0.9,
        "drop_from_best": pytest.approx(0.7),
    }
    assert (second["best"], second["final"]) == (0.7, 0.6)
    assert second["drop_from_best"] == pytest.approx(0.1)
    assert second["at_last_switch"] is None  # it was trained to the end
    assert summary["mean"] == {
        "best": pytest.approx(0.8),
        "final": pytest.approx(0.4),
        "at_last_switch": 0.9,
        "drop_from_best": pytest.approx(0.4),
    }


@pytest.mark.parametrize(
    ("schedule", "trained", "accuracies", "expected"),
    [
        # The last of several turns counts.
        (Cycle(2, 10), (0, 1, 0, 1), ((0.5, 0), (0.1, 0.6), (0.7, 0.2), (0.3, 0.9)), (0.7, 0.6)),
        # A switch and back between two evaluations counts; a task that is never evaluated in its
        # turns has nothing.
        (Cycle(2, 5), (1, 1, 1), ((0.5, 0.3), (0.1, 0.6), (0.7, 0.2)), (None, 0.6)),
        # An unfinished turn does not count.
        (Cycle(2, 100), (0, 0), ((0.5, 0.3), (0.7, 0.2)), (None, None)),
        # One task is never switched from, nor are tasks that are trained together.
        (Cycle(1, 10), (0, 0), ((0.5,), (0.9,)), (None,)),
        (Joint(2), (None, None), ((0.5, 0.6), (0.9, 0.4)), (None, None)),
    ],
)
def test_accuracy_at_the_last_switch(schedule, trained, accuracies, expected):
    evaluations = history((None, accuracies[0]), *zip(trained, accuracies, strict=True))
    for task, accuracy in enumerate(expected):
        assert at_last_switch(evaluations, task, schedule.switches) == accuracy
    summary = summarize(evaluations, ["id", "dog"][: len(expected)], schedule.switches)
    assert (summary["mean"]["at_last_switch"] is None) == (set(expected) == {None})
