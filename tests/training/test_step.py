"""The compiled training step, and the loop over it."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from data.dataset import Split
from runs.log import RunLog
from tests.support.problems import make_problem, set_output, train, weights_of
from training.step import Divergence

STATM = Path("/proc/self/statm")


@pytest.mark.parametrize(
    ("joint_loss", "weights", "factors"),
    [
        ("sum", None, [1, 1, 1]),
        ("sum", (1.0, 2.0, 3.0), [1 / 2, 1, 3 / 2]),
        ("mean", None, [1 / 3, 1 / 3, 1 / 3]),
        ("mean", (1.0, 2.0, 3.0), [1 / 6, 2 / 6, 3 / 6]),
    ],
)
def test_a_step_of_gradient_descent_by_hand(joint_loss, weights, factors):
    """The gradient of an output's bias is its softmax less its target, times the task's factor.

    The tasks have a head each; the second sees other images.
    """
    problem = make_problem(
        **{"tasks": ("id", "cifar10", "id"), "task_weights": weights},
        **{"schedule": "joint", "joint_loss": joint_loss},
        **{"heads": "multi", "network": ("fc",), "learning_rate": 0.5, "batch": 4},
    )
    set_output(problem.network)
    tallies = problem.loop_for((0, 1, 2)).train(0, 1, 0)
    for task, factor in enumerate(factors):
        assert tallies[task].examples == 4
        assert tallies[task].loss == pytest.approx(np.log(10), rel=1e-6)
        expected = np.full(10, -0.5 * 0.1 * factor)
        expected[3] = 0.5 * 0.9 * factor
        bias = problem.network.heads[task].layers[-1].bias.numpy()
        np.testing.assert_allclose(bias, expected, rtol=1e-5)


def test_a_joint_step_is_as_long_for_any_number_of_tasks():
    """A task that is named several times is trained as if it were named once."""
    settings = {"filters": (4,), "dropout": 0.5, "schedule": "joint"}
    once, thrice = (make_problem(tasks=("id",) * count, **settings) for count in (1, 3))
    train(once, 0, 1)
    thrice.loop_for((0, 1, 2)).train(0, 1, 0)
    for one, other in zip(weights_of(once.network), weights_of(thrice.network), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_joint_training_at_the_default_learning_rate_converges():
    """On images of noise, on which the sum of the losses grows without end."""

    def noise(count: int) -> Split:
        draws = np.random.default_rng(count)
        images = draws.integers(0, 256, (count, 28, 28, 1)).astype(np.uint8)
        return Split(images, np.arange(count, dtype=np.int32) % 10)

    settings = {"tasks": ("id", "ref"), "schedule": "joint", "filters": (8,), "batch": 20}
    problem = make_problem(train=200, make=noise, **settings)
    tallies = problem.loop_for((0, 1)).train(0, 60, 0)
    later = problem.loop_for((0, 1)).train(60, 80, 60 * 20)
    for task in (0, 1):
        assert later[task].loss < min(tallies[task].loss, np.log(10))


def test_weight_decay_by_hand():
    """Its gradient is twice the factor times the weight; biases have none."""
    settings = {"network": ("fc",), "learning_rate": 0.5, "batch": 4}
    decayed, plain = (make_problem(l2=l2, **settings) for l2 in (0.25, 0.0))
    before, _ = weights_of(decayed.network)
    # The cross-entropy alone is logged.
    assert train(decayed, 0, 1).loss == train(plain, 0, 1).loss
    kernel, bias = weights_of(decayed.network)
    plain_kernel, plain_bias = weights_of(plain.network)
    np.testing.assert_allclose(kernel, plain_kernel - 0.5 * 2 * 0.25 * before, atol=1e-6)
    np.testing.assert_allclose(bias, plain_bias, atol=1e-6)


def test_adam_trains_too():
    problem = make_problem(optimizer="adam", learning_rate=0.01, filters=(4,))
    (before,) = problem.evaluate(lambda: False)
    train(problem, 0, 10)
    assert train(problem, 10, 11).loss < before.loss


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_step_on_one_task_leaves_the_other_heads_alone(optimizer):
    settings = {"heads": "multi", "network": ("fc", "fc"), "optimizer": optimizer}
    problem = make_problem(tasks=("id", "id"), **settings)
    before = weights_of(problem.network)  # the trunk's kernel and bias, and each head's
    train(problem, 0, 1, task=1)
    pairs = zip(before, weights_of(problem.network), strict=True)
    changed = [bool((one != other).any()) for one, other in pairs]
    assert changed == [True, True, False, False, True, True]


def test_a_step_follows_from_the_weights_and_its_number_alone():
    """And not from the chunk that it is in, nor from the steps before."""
    settings = {"batch": 6, "filters": (4,), "dropout": 0.5}
    fresh, whole, parts = (make_problem(**settings) for _ in range(3))
    initial = [part.get_weights() for part in parts.network.parts((0,))]
    total = train(whole, 0, 7)
    assert total == train(parts, 0, 3) + train(parts, 3, 4) + train(parts, 4, 7)
    assert total.examples == 42
    np.testing.assert_equal(weights_of(whole.network), weights_of(parts.network))
    for part, weights in zip(parts.network.parts((0,)), initial, strict=True):
        part.set_weights(weights)
    for problem in (fresh, parts):
        train(problem, 5, 6)
    np.testing.assert_equal(weights_of(fresh.network), weights_of(parts.network))


def test_each_group_of_tasks_has_dropout_of_its_own():
    """In a step of two tasks on different images, and again in the next step."""
    settings = {"schedule": "joint", "filters": (2,), "dropout": 0.5}
    problem = make_problem(tasks=("zero", "one"), **settings)
    loop = problem.loop_for((0, 1))
    (dropout,) = (layer for layer in problem.network.trunk.layers if "dropout" in layer.name)
    masks, call = [], dropout.call
    dropout.call = lambda values, training: (
        masks.append(call(tf.ones(values.shape), training)) or call(values, training)
    )
    for step in (0, 1):
        step = tf.constant(step, tf.int64)
        loop.forward(step, loop.batches(step, step))
    assert len(masks) == 4
    for one, other in itertools.combinations(masks, 2):
        # Each keeps half of the values, so that half of the pairs are equal.
        assert (one == other).numpy().mean() == pytest.approx(0.5, abs=0.05)


def test_tasks_that_are_trained_together_see_the_same_batch():
    problem = make_problem(tasks=("id", "cifar10", "id"), train=1000)
    batches = problem.loop_for((0, 1, 2)).batches(*tf.constant([3, 300], tf.int64))
    assert [batch.tasks for batch in batches] == [(0, 2), (1,)]
    labels = batches[0].labels
    assert len(labels) == 2
    np.testing.assert_array_equal(*labels)
    # Tasks on another dataset, or with another transform, have an order of their own.
    assert (batches[0].images.numpy() != batches[1].images.numpy()).any()


def test_the_trunk_is_passed_once_by_tasks_on_the_same_images():
    """Counts the convolutions in the graph of a step."""

    def convolutions(*tasks: str) -> int:
        problem = make_problem(heads="multi", filters=(2,), tasks=tasks)
        loop = problem.loop_for(tuple(range(len(tasks))))
        graph = loop._train.get_concrete_function().graph.as_graph_def()
        nodes = [node for function in graph.library.function for node in function.node_def]
        return sum(node.op == "Conv2D" for node in nodes)

    once = convolutions("id")
    assert once > 0
    assert convolutions("id", "id", "id") == once
    assert convolutions("id", "inv", "ref") == 3 * once


def test_no_step_is_trained_after_one_whose_loss_is_not_finite():
    problem = make_problem(learning_rate=1e30, norm="none", filters=(2,))
    with pytest.raises(Divergence) as caught:
        train(problem, 0, 9)
    divergence = caught.value
    assert (divergence.task, divergence.step) == (0, int(problem.optimizer.iterations))
    assert divergence.step < 9
    assert not np.isfinite(divergence.loss)
    assert np.isfinite(divergence.last_loss)


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells a process's memory there")
def test_memory_does_not_grow_with_the_steps(tmp_path):
    """Makes calls for no step at all, and points of curves, with ever new numbers."""
    loop = make_problem(network=("fc",), batch=1).loop_for((0,))
    with RunLog(tmp_path, ["id"]) as log:

        def memory_after(first: int, count: int) -> int:
            for step in range(first, first + count):
                loop.train(step, step, 1_000_000 + step)
                log.scalars("train", step, {"loss": 1 / (1 + step)})
            log.finish()
            return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        sizes = [memory_after(10_000 * n, 2_500) for n in range(4)]
        # Where TensorFlow caches such numbers, each takes some 400 bytes, every time. The
        # allocator takes a new MB now and then.
        assert min(later - size for size, later in itertools.pairwise(sizes)) < 800_000
