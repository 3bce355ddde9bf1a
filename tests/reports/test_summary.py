"""The contents of `summary.json`."""

import json

import pytest

from reports.metrics import measure
from reports.summary import QUANTITIES, summarize
from settings import Settings
from tasks.schedule import Cycle, Joint, Random, Schedule
from tests.support.histories import drawn_history, make_history

ID_REF = Settings().replace(tasks=("id", "ref"), heads="shared")
# Turns of id, ref, id, ref, id and, unfinished, ref.
ACCURACIES = {
    0: (0.1, 0.2),
    10: (0.8, 0.2),
    20: (0.5, 0.9),
    25: (0.95, 0.8),  # within a turn
    30: (0.9, 0.4),
    40: (0.6, 0.7),
    50: (0.7, 0.6),
    54: (0.3, 0.5),
}


def test_a_summary_by_hand() -> None:
    schedule = Cycle(2, 10)
    history = make_history(schedule, ACCURACIES)
    summary = summarize(history, ID_REF, schedule)
    found = [
        {"name": "id", "best": 0.95, "best_step": 25, "final": 0.3, "drop_from_best": 0.65}
        | {"at_last_switch": 0.7, "forgetting": 0.6, "forgetting_per_return": 0.3},
        {"name": "ref", "best": 0.9, "best_step": 20, "final": 0.5, "drop_from_best": 0.4}
        | {"at_last_switch": 0.7, "forgetting": None, "forgetting_per_return": 0.1},
    ]
    assert summary["tasks"] == [pytest.approx(task) for task in found]
    means = {"best": 0.925, "final": 0.4, "at_last_switch": 0.7, "drop_from_best": 0.525}
    means |= {"forgetting": 0.6, "forgetting_per_return": 0.2}
    assert summary["mean"] == pytest.approx(means)
    assert summary["metrics"] == measure(history, schedule, shared_head=True)
    assert summary["evaluation_interval"] == 10
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_no_forward_transfer_where_each_task_has_a_head() -> None:
    schedule = Cycle(2, 10)
    history = make_history(schedule, ACCURACIES)
    metrics = summarize(history, ID_REF.replace(heads="multi"), schedule)["metrics"]
    assert metrics == measure(history, schedule, shared_head=False)


@pytest.mark.parametrize(
    "schedule", [Cycle(2, 100), Cycle(2, 3), Joint(2), Random((1.0, 1.0), seed=0)]
)
def test_means_of_what_applies_to_no_task_are_none(schedule: Schedule) -> None:
    """The first turn is under way; the ends of turns are not evaluated; there are none."""
    means = summarize(drawn_history(schedule, 2, (0, 10)), ID_REF, schedule)["mean"]
    assert tuple(means) == QUANTITIES
    applying = {name for name, value in means.items() if value is not None}
    assert applying == {"best", "final", "drop_from_best"}
