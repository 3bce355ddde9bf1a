"""The examples of a training step, and the images that the network sees of them."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.problems import make_problem
from training.feed import Feed, by_feed
from training.problem import Problem


def feed_of(problem: Problem, task: int = 0) -> Feed:
    return problem.task_data[task].feed


def examples_of(problem: Problem, steps: int, task: int = 0) -> np.ndarray:
    """Returns the numbers of the examples of each step, [steps, batch]."""
    data = problem.task_data[task]
    numbers = []
    for step in range(steps):
        seen = step * data.feed.batch
        counters = tf.constant([step, seen], tf.int64)
        images, examples = data.feed.training_batch(*counters, data.order_key)
        pixels = (images.numpy()[:, 0, :2, 0] * 255).round().astype(int)
        numbers.append(pixels @ (256, 1))
        np.testing.assert_array_equal(numbers[-1], examples)
    return np.array(numbers)


@pytest.mark.parametrize(
    ("size", "batch", "steps"),
    [
        (35, 7, 15),
        (30, 8, 15),  # batches that hold the end of one epoch and the beginning of the next
        (10, 25, 2),  # batches of more than one epoch
    ],
)
def test_every_epoch_visits_every_example_once_in_an_order_of_its_own(size, batch, steps):
    epochs = examples_of(make_problem(train=size, batch=batch), steps).reshape(-1, size)
    for epoch in epochs:
        assert sorted(epoch) == list(range(size))
    assert len(np.unique(epochs, axis=0)) == len(epochs) > 2


def test_the_order_follows_from_the_seed_and_the_place_of_the_task():
    first, again, other = (
        examples_of(make_problem(train=1000, seed=seed), 5) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    for tasks in (("ref", "id"), ("id", "id")):  # also where another task has the same images
        second = examples_of(make_problem(train=1000, seed=1, tasks=tasks), 5, task=1)
        assert (first != second).mean() > 0.9


def test_noise_in_training_follows_from_the_seed_the_step_and_the_place_of_the_task():
    def noise(step: int, *tasks: str, seed: int = 0) -> np.ndarray:
        feed = feed_of(make_problem(tasks=tasks, seed=seed), len(tasks) - 1)
        return feed.training_batch(*tf.constant([step, 0], tf.int64), order_key=7)[0].numpy()[0]

    first = noise(4, "noise")
    np.testing.assert_array_equal(first, noise(4, "noise"))
    for other in (noise(5, "noise"), noise(4, "id", "noise"), noise(4, "noise", seed=1)):
        assert (first != other).mean() > 0.99


def test_noise_is_the_same_in_every_evaluation():
    feed = feed_of(make_problem(tasks=("noise",), test=210))
    first, again, last = (feed.evaluation_batch(tf.constant(i)).numpy() for i in (0, 0, 200))
    np.testing.assert_array_equal(first, again)
    assert (first[:10] != last).mean() > 0.99


def test_the_order_of_rows_follows_from_the_seed_alone():
    def order(*tasks: str, seed: int = 0, training: bool = True) -> list[int]:
        rows = np.broadcast_to(np.arange(28, dtype=np.uint8)[:, None, None], (1, 28, 28, 1))
        feed = feed_of(make_problem(tasks=tasks, seed=seed), len(tasks) - 1)
        key = feed.train_key if training else feed.test_key
        permuted = feed.network_input(tf.constant(rows), key, tf.constant(9, tf.int64))
        return (permuted.numpy()[0, :, 0, 0] * 255).round().tolist()

    assert order("perm") == order("perm", training=False) == order("id", "inv", "perm")
    assert order("perm") != order("perm", seed=5)


@pytest.mark.parametrize(("size", "batch"), [(28, 200), (56, 50), (224, 32)])
def test_larger_images_are_evaluated_in_smaller_batches(size, batch):
    assert feed_of(make_problem(network=("fc",), image_size=size)).test_batch == batch


def test_pixels_are_standardized_after_the_tasks_transform():
    plain, inverted = (
        feed.network_input(feed.train.images, 0, tf.constant(0)).numpy()
        for feed in (
            feed_of(make_problem(standardize=True, train=50, tasks=(task,)))
            for task in ("id", "inv")
        )
    )
    # The second pixels are 0 to 49: their mean is 24.5, their variance (50² − 1) / 12.
    expected = (np.arange(50) - 24.5) / np.sqrt((50**2 - 1) / 12)
    np.testing.assert_allclose(plain[:, 0, 1, 0], expected, rtol=1e-4)
    assert not plain[:, 5:].any()  # a constant pixel is 0, and not divided by 0
    np.testing.assert_allclose(plain, -inverted, atol=1e-4)


# The images are all labeled 3, which is a bear, and so a large carnivore.
@pytest.mark.parametrize("tasks", [("id", "inv"), ("cifar100", "cifar100:large_carnivores")])
def test_tasks_on_one_dataset_share_its_arrays(tasks):
    one, other = by_feed(make_problem(heads="multi", tasks=tasks).task_data)
    assert one[0].feed.train.images is other[0].feed.train.images
