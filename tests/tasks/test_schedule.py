"""The schedules, by the tasks that they train at each step."""

import math
from functools import partial

import numpy as np
import pytest

from settings import TaskSettings
from settings.randomness import Stream, stream_key
from tasks.schedule import (
    BLOCK,
    LOOKAHEAD,
    Cycle,
    Joint,
    Random,
    chunk_end,
    count_steps,
    loss_weights,
    make_schedule,
    relative_weights,
)
from training.trainer import MAX_CHUNK


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
    Random([1, 2, 3], seed=4),
    Random([1], seed=4),
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
    drawn = Random(weights, seed=1).drawn(0, 10_000)
    counts = np.bincount(drawn, minlength=len(weights))
    expected = 10_000 * np.array(weights) / sum(weights)
    assert (counts[expected == 0] == 0).all()
    counts, expected = counts[expected > 0], expected[expected > 0]
    quantile = {2: 10.83, 3: 13.82, 4: 16.27}[len(counts)]  # of 1, 2 and 3 degrees of freedom
    assert ((counts - expected) ** 2 / expected).sum() < quantile


def test_random_draws_are_independent_of_each_other():
    """Tests the frequencies of pairs of neighbors in the same way."""
    drawn = Random([1, 1, 2], seed=2).drawn(0, 10_000)
    pairs = np.bincount(3 * drawn[::2] + drawn[1::2], minlength=9)
    share = np.array([1, 1, 2]) / 4
    expected = 5_000 * np.outer(share, share).ravel()
    assert ((pairs - expected) ** 2 / expected).sum() < 26.12  # 8 degrees of freedom


def test_random_follows_from_the_seed_and_the_proportions_alone():
    draws = ((5, [1, 2]), (5, [10, 20]), (6, [1, 2]))
    first, scaled, other = (Random(weights, seed).drawn(0, 100) for seed, weights in draws)
    np.testing.assert_array_equal(first, scaled)
    assert (first != other).any()


def test_random_in_blocks_draws_as_all_at_once():
    """The draws, and what follows from them, on both sides of the ends of blocks."""
    weights, steps, seed = [1.0, 0.0, 5.0], 3 * BLOCK + 100, 7
    uniform = np.random.default_rng(stream_key(seed, Stream.SCHEDULE)).random(steps)
    expected = np.searchsorted(np.cumsum(weights) / sum(weights), uniform, side="right")
    np.testing.assert_array_equal(Random(weights, seed).drawn(0, steps), expected)
    changes = np.flatnonzero(np.diff(expected)) + 1
    random = Random(weights, seed)
    ends = [n * BLOCK + near for n in (1, 3, 2) for near in (-1, 0, 1, 50)]
    for step in [0, *ends]:
        assert random.tasks_at(step) == (expected[step],)
        assert random.switches(step) == (changes < step).sum()
        assert random.next_switch(step) == changes[changes > step][0]
        for task in range(3):
            assert random.steps_trained(task, step) == (expected[:step] == task).sum()


def test_a_random_schedule_of_many_steps_takes_no_memory_for_them():
    steps = 10**10
    random = make_schedule(settings(schedule="random", max_steps=steps), seed=0)
    assert random.tasks_at(steps - 1) in ((0,), (1,))
    assert steps <= random.next_switch(steps - 1) < steps + LOOKAHEAD
    assert count_steps(random, 0, steps) is None
    seldom = Random([1, 0, 1e-300], seed=0)
    assert seldom.next_switch(0) == math.inf
    assert count_steps(seldom, 1, steps) == 0
    assert count_steps(seldom, 2, 1_000) == 0


def test_no_chunk_is_longer_than_the_steps_in_which_a_switch_is_looked_for():
    assert MAX_CHUNK <= LOOKAHEAD < BLOCK


settings = partial(TaskSettings, tasks=("a", "b"), task_time=5, max_steps=10)


def test_the_settings_name_the_schedule():
    assert make_schedule(settings(), seed=0) == Cycle(tasks=2, task_time=5)
    assert make_schedule(settings(schedule="joint"), seed=0) == Joint(2)
    random = make_schedule(settings(schedule="random", task_weights=(1.0, 0.0)), seed=0)
    assert list(random.drawn(0, 10)) == [0] * 10


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


@pytest.mark.parametrize(
    ("joint_loss", "given", "factors"),
    [
        ("sum", None, [1, 1]),
        ("sum", (1.0, 3.0), [0.5, 1.5]),
        ("mean", None, [0.5, 0.5]),
        ("mean", (1.0, 3.0), [0.25, 0.75]),
        ("mean", (0.0, 7.0), [0, 1]),
    ],
)
def test_the_losses_of_a_joint_step_are_summed_or_averaged(joint_loss, given, factors):
    assert loss_weights(settings(joint_loss=joint_loss, task_weights=given)) == factors


def test_a_chunk_ends_at_the_first_stop_or_multiple_of_a_period():
    assert chunk_end(0, stops=(100, 30), periods=(20, 50)) == 20
    assert chunk_end(20, stops=(100, 30), periods=(20, 50)) == 30
    assert chunk_end(40, stops=(100, 60), periods=(20, 50)) == 50
    assert chunk_end(90, stops=(95, math.inf), periods=(20,)) == 95
