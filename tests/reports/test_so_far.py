"""The metrics of a run under way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.matrix import make_matrix
from reports.metrics import measure
from reports.so_far import MetricsSoFar
from tasks.schedule import Cycle, Joint, Random, Schedule
from tests.support.fuzzing import cases
from tests.support.histories import drawn_history


@cases(40)
@given(
    tasks=st.integers(2, 4),
    extra=st.sets(st.integers(1, 59)),
    resumed=st.integers(0, 60),
    data=st.data(),
)
def test_each_turns_metrics_are_those_of_the_run_until_then(
    tasks: int, extra: set[int], resumed: int, data: st.DataObject
) -> None:
    schedule = Cycle(tasks, 5)
    ends = set(range(0, 61, 5))
    missed = data.draw(st.sampled_from([None, *ends]))
    history = drawn_history(schedule, tasks, sorted((ends | extra) - {missed}))
    before = [each for each in history if each.step < resumed]
    metrics = MetricsSoFar(schedule, before)
    for number, evaluation in enumerate(history[len(before) :], start=len(before) + 1):
        found = metrics.add(evaluation)
        if evaluation.step not in ends - {0} or make_matrix(history[:number], schedule) is None:
            assert found == {}
            continue
        until = measure(history[:number], schedule, shared_head=True)
        seen = evaluation.accuracy[: evaluation.step // 5]
        expected = {"average_accuracy_so_far": sum(seen) / len(seen)}
        for name in ("forgetting", "forgetting_per_return", "relearning_steps"):
            if until[name] is not None:
                expected[name] = until[name]
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("schedule", [Joint(2), Random((1.0, 1.0), seed=0), Cycle(1, 5)])
def test_without_turns_there_are_none(schedule: Schedule) -> None:
    metrics = MetricsSoFar(schedule)
    assert all(metrics.add(each) == {} for each in drawn_history(schedule, 2, range(40)))
