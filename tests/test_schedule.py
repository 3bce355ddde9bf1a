import pytest

from schedule import Cycle, stretch_end


def test_tasks_take_turns():
    cycle = Cycle(tasks=3, task_time=2)
    assert [cycle.task_at(step) for step in range(8)] == [0, 0, 1, 1, 2, 2, 0, 0]


def test_task_time_one_alternates():
    cycle = Cycle(tasks=2, task_time=1)
    assert [cycle.task_at(step) for step in range(4)] == [0, 1, 0, 1]


@pytest.mark.parametrize(("tasks", "task_time"), [(1, 5), (2, 1), (3, 4)])
def test_steps_trained_counts_what_task_at_says(tasks, task_time):
    cycle = Cycle(tasks, task_time)
    for step in range(30):
        for task in range(tasks):
            counted = sum(cycle.task_at(earlier) == task for earlier in range(step))
            assert cycle.steps_trained(task, step) == counted


def test_next_switch_is_beyond_the_step():
    cycle = Cycle(tasks=2, task_time=10)
    assert [cycle.next_switch(step) for step in (0, 9, 10)] == [10, 10, 20]


def test_a_stretch_ends_at_whatever_comes_first():
    assert stretch_end(0, stops=(100, 30), periods=(20, 50)) == 20
    assert stretch_end(20, stops=(100, 30), periods=(20, 50)) == 30
    assert stretch_end(40, stops=(100, 60), periods=(20, 50)) == 50
    assert stretch_end(90, stops=(95, 120), periods=(20,)) == 95
