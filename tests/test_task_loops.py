"""A task's loops: which examples a step sees, what is counted, and what a step does."""

import numpy as np
import pytest
import tensorflow as tf

from data.dataset import Dataset, Split
from flags import parse_flags
from model import build_network, build_optimizer
from task_loops import TEST_BATCH, Tally, TaskLoops, to_device
from tasks import TASKS


def numbered(count: int) -> Split:
    """Images whose first two pixels are their number in base 256, all labelled 3."""
    images = np.zeros((count, 28, 28, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = divmod(np.arange(count), 256)
    return Split(images, np.full(count, 3, np.int32))


def make_loops(
    *flags: str, task: str = "id", train: int = 30, test: int = 20, index: int = 0
) -> TaskLoops:
    settings = parse_flags([*flags])
    network = build_network(settings, (28, 28, 3), classes=10)
    optimizer = build_optimizer(settings)
    optimizer.build(network.trainable_variables)
    dataset = Dataset(numbered(train), numbered(test), tuple("0123456789"), "numbers")
    return TaskLoops(index, TASKS[task], to_device(dataset), network, optimizer, settings)


def examples_of(loops: TaskLoops, steps: range) -> np.ndarray:
    """The numbers of the examples that the steps see, [steps, batch]."""
    numbers = []
    for step in steps:
        images, _ = loops.training_batch(
            tf.constant(step, tf.int64), tf.constant(step * loops.batch, tf.int64)
        )
        pixels = (images.numpy()[:, 0, :2, 0] * 255).round().astype(int)
        numbers.append(pixels @ (256, 1))
    return np.array(numbers)


def test_every_epoch_sees_every_example_once():
    loops = make_loops("--batch", "7", train=35)
    numbers = examples_of(loops, range(15)).reshape(3, 35)
    for epoch in numbers:
        assert sorted(epoch) == list(range(35))
    assert (numbers[0] != numbers[1]).any()
    assert (numbers[1] != numbers[2]).any()


def test_so_it_does_where_the_batch_does_not_divide_it():
    loops = make_loops("--batch", "8", train=30)
    numbers = examples_of(loops, range(15)).reshape(4, 30)  # batches run over the epochs' edges
    for epoch in numbers:
        assert sorted(epoch) == list(range(30))


def test_a_batch_may_be_larger_than_the_dataset():
    numbers = examples_of(make_loops("--batch", "25", train=10), range(2)).reshape(5, 10)
    for epoch in numbers:
        assert sorted(epoch) == list(range(10))


def test_the_order_follows_from_the_seed_and_the_place_of_the_task():
    steps = range(5)
    first = examples_of(make_loops("--seed", "1", train=1000), steps)
    np.testing.assert_array_equal(first, examples_of(make_loops("--seed", "1", train=1000), steps))
    assert (first != examples_of(make_loops("--seed", "2", train=1000), steps)).mean() > 0.9
    assert (
        first != examples_of(make_loops("--seed", "1", train=1000, index=1), steps)
    ).mean() > 0.9


def first_image(loops: TaskLoops, step: int) -> np.ndarray:
    images, _ = loops.training_batch(tf.constant(step, tf.int64), tf.constant(0, tf.int64))
    return images.numpy()[0, :, :, 0]


def test_noise_is_another_in_every_step_and_task_but_the_same_in_every_run():
    loops = make_loops(task="noise")
    assert (first_image(loops, 4) != first_image(loops, 5)).mean() > 0.99
    np.testing.assert_array_equal(first_image(loops, 4), first_image(make_loops(task="noise"), 4))
    other_task = make_loops(task="noise", index=1)
    assert (first_image(loops, 4) != first_image(other_task, 4)).mean() > 0.99


def test_noise_is_the_same_in_every_test():
    loops = make_loops(task="noise", test=TEST_BATCH + 10)
    first, again = loops.test(), loops.test()
    assert first == again
    batches = [
        loops.network_input(loops.dataset.test.images[:1], loops.test_key, tf.constant(n, tf.int64))
        for n in (0, TEST_BATCH)
    ]
    assert (batches[0] != batches[1]).numpy()[..., 0].mean() > 0.99


def test_perm_is_the_same_wherever_it_stands_and_in_training_and_testing():
    def order(loops, key):
        rows = np.broadcast_to(np.arange(28, dtype=np.uint8)[:, None, None], (1, 28, 28, 1))
        shown = loops.network_input(tf.constant(rows), key, tf.constant(9, tf.int64))
        return (shown.numpy()[0, :, 0, 0] * 255).round().tolist()

    loops, twin = make_loops(task="perm"), make_loops(task="perm", index=2)
    other_seed = make_loops("--seed", "5", task="perm")
    assert order(loops, loops.train_key) == order(loops, loops.test_key)
    assert order(loops, loops.train_key) == order(twin, twin.train_key)
    assert order(loops, loops.train_key) != order(other_seed, other_seed.train_key)


def set_output(loops: TaskLoops, kernel: float, bias: np.ndarray) -> None:
    output = loops.network.layers[-1]
    output.kernel.assign(tf.fill(output.kernel.shape, kernel))
    output.bias.assign(bias)


@pytest.mark.parametrize("size", [1, TEST_BATCH - 1, TEST_BATCH, 2 * TEST_BATCH + 1])
def test_every_test_image_counts_once(size):
    loops = make_loops("--network", "fc", test=size)
    bias = np.zeros(10, np.float32)
    bias[3] = np.log(11)  # the right label has 11 parts in 20
    set_output(loops, 0, bias)
    tally = loops.test()
    assert tally.examples == tally.correct == size
    assert tally.loss == pytest.approx(np.log(20 / 11), rel=1e-6)
    set_output(loops, 0, -bias)
    assert loops.test().correct == 0


def test_a_step_of_gradient_descent_by_hand():
    """With nothing but the output layer, the gradient of a bias is its softmax minus its target."""
    loops = make_loops("--network", "fc", "--learning-rate", "0.5", "--batch", "4")
    set_output(loops, 0, np.zeros(10, np.float32))
    tally = loops.train(0, 1, 0)
    assert tally.examples == 4
    assert tally.loss == pytest.approx(np.log(10), rel=1e-6)
    expected = np.full(10, -0.5 * 0.1)
    expected[3] = 0.5 * 0.9
    np.testing.assert_allclose(loops.network.layers[-1].bias.numpy(), expected, rtol=1e-5)


def test_one_stretch_equals_several():
    flags = ("--batch", "6", "--network", "conv", "fc", "--filters", "4", "--dropout", "0.5")
    whole, parts = make_loops(*flags), make_loops(*flags)
    total = whole.train(0, 7, 0)
    added = parts.train(0, 3, 0) + parts.train(3, 4, 18) + parts.train(4, 7, 24)
    assert total.examples == added.examples == 42
    assert total.correct == added.correct
    assert total.loss_sum == pytest.approx(added.loss_sum, rel=1e-5)
    for one, other in zip(whole.network.weights, parts.network.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_dropout_follows_from_the_step_and_not_from_what_came_before():
    flags = ("--batch", "6", "--filters", "4", "--dropout", "0.5")
    fresh, used = make_loops(*flags), make_loops(*flags)
    initial = used.network.get_weights()
    used.train(0, 3, 0)
    used.network.set_weights(initial)
    for loops in (fresh, used):
        loops.train(5, 6, 0)
    for one, other in zip(fresh.network.weights, used.network.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_adam_trains_too():
    loops = make_loops("--optimizer", "adam", "--learning-rate", "0.01", "--filters", "4")
    before = loops.test().loss
    loops.train(0, 10, 0)
    assert loops.train(10, 11, 1000).loss < before


def test_stretches_of_any_length_are_compiled_once():
    loops = make_loops("--network", "fc")
    for start, end in ((0, 1), (1, 5), (5, 6)):
        loops.train(start, end, start * 100)
    assert loops._train.experimental_get_tracing_count() == 1


def test_a_tally_by_hand():
    tally = Tally(8, 6, 4.0) + Tally(2, 1, 6.0)
    assert tally.accuracy == 0.7
    assert tally.loss == 1.0
