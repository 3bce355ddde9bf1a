"""The schedules, by the tasks that they train at each step."""

import math
from functools import partial

import numpy as np
import pytest

from settings import TaskSettings
from tasks.schedule import Cycle, Joint, Random, chunk_end, make_schedule, relative_weights


@pytest.mark.parametrize(
    ("schedule", "tasks"),
    [
        (Cycle(tasks=3, task_time=2), [(0,), (0,), (1,), (1,), (2,), (2,), (0,), (0,)]),
        (Cycle(tasks=2, task_time=1), [(0,), (1,), (0,), (1,)]),
        (Joint(3), [(0, 1, 2)] * 4),
    ],
)
def test_tasks_take_turns_or_are_trained_together(schedule, tasks):
    assert [schedule.tasks_at(step) for step in range(len(tasks))] == tasks


SCHEDULES = [
    Cycle(tasks=1, task_time=5),
    Cycle(tasks=2, task_time=1),
    Cycle(tasks=3, task_time=4),
    Random([1, 2, 3], steps=31, seed=4),
    Random([1], steps=31, seed=4),
    Joint(3),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_counts_and_switches_agree_with_tasks_at(schedule):
    trained = [schedule.tasks_at(step) for step in range(30)]
    switched = [step for step in range(1, 30) if trained[step] != trained[step - 1]]
    tasks = {task for step in trained for task in step}
    for step in range(30):
        for task in tasks:
            counted = sum(task in earlier for earlier in trained[:step])
            assert schedule.steps_trained(task, step) == counted
        assert schedule.switches(step) == sum(switch < step for switch in switched)
        later = [switch for switch in switched if switch > step]
        after = math.inf if isinstance(schedule, Joint) else 30
        if later:
            assert schedule.next_switch(step) == later[0]
        else:
            assert schedule.next_switch(step) >= after


@pytest.mark.parametrize("weights", [[1, 1, 1], [1, 2, 3, 4], [0.5, 0, 1.5]])
def test_random_draws_in_proportion_to_the_weights(weights):
    """Tests 10,000 draws by chi-squared, against the 0.999 quantile."""
    drawn = Random(weights, steps=10_000, seed=1).drawn
    counts = np.bincount(drawn, minlength=len(weights))
    expected = 10_000 * np.array(weights) / sum(weights)
    assert (counts[expected == 0] == 0).all()
    counts, expected = counts[expected > 0], expected[expected > 0]
    quantile = {2: 10.83, 3: 13.82, 4: 16.27}[len(counts)]  # of 1, 2 and 3 degrees of freedom
    assert ((counts - expected) ** 2 / expected).sum() < quantile


def test_random_draws_are_independent_of_each_other():
    """Tests the frequencies of pairs of neighbors in the same way."""
    drawn = Random([1, 1, 2], steps=10_000, seed=2).drawn
    pairs = np.bincount(3 * drawn[::2] + drawn[1::2], minlength=9)
    share = np.array([1, 1, 2]) / 4
    expected = 5_000 * np.outer(share, share).ravel()
    assert ((pairs - expected) ** 2 / expected).sum() < 26.12  # 8 degrees of freedom


def test_random_follows_from_the_seed_alone():
    first, again, other = (Random([1, 2], steps=100, seed=seed).drawn for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    longer = Random([10, 20], steps=200, seed=5).drawn  # the same proportions, more steps
    np.testing.assert_array_equal(longer[:100], first)


settings = partial(TaskSettings, tasks=("a", "b"), task_time=5, max_steps=10)


def test_the_settings_name_the_schedule():
    assert make_schedule(settings(), seed=0) == Cycle(tasks=2, task_time=5)
    assert make_schedule(settings(schedule="joint"), seed=0) == Joint(2)
    random = make_schedule(settings(schedule="random", task_weights=(1.0, 0.0)), seed=0)
    assert list(random.drawn) == [0] * 10


@pytest.mark.parametrize(
    ("given", "scaled"),
    [
        (None, [1, 1]),
        ((1.0, 3.0), [0.5, 1.5]),
        ((10.0, 30.0), [0.5, 1.5]),
        ((1e308, 1e308), [1, 1]),
        ((5e-324, 0.0), [2, 0]),
    ],
)
def test_weights_have_a_mean_of_one(given, scaled):
    assert relative_weights(settings(task_weights=given)) == scaled


def test_a_chunk_ends_at_the_first_stop_or_multiple_of_a_period():
    assert chunk_end(0, stops=(100, 30), periods=(20, 50)) == 20
    assert chunk_end(20, stops=(100, 30), periods=(20, 50)) == 30
    assert chunk_end(40, stops=(100, 60), periods=(20, 50)) == 50
    assert chunk_end(90, stops=(95, math.inf), periods=(20,)) == 95
