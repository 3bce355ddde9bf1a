"""The compiled loops: which examples a step sees, what is counted, and what a step does."""

import itertools
import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from settings.checks import chosen_tasks

from data.dataset import Dataset, Split
from model import Network, build_network, build_optimizer
from runs.log import RunLog
from settings import parse_flags
from tasks.schedule import relative_weights
from training.feed import Feed, by_feed, make_learners
from training.step import Diverged, EvaluationLoop, Tally, TrainingLoop
from training.trainer import Trainer

TEST_BATCH = 200  # images of 28×28
STATM = Path("/proc/self/statm")


def numbered(count: int) -> Split:
    """Images whose first two pixels are their number in base 256, all labelled 3."""
    images = np.zeros((count, 28, 28, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = divmod(np.arange(count), 256)
    return Split(images, np.full(count, 3, np.int32))


@dataclass
class Loops:
    """The loops of tasks that are trained together, and what they are made of."""

    feed: Feed  # of the first task
    training: TrainingLoop
    evaluations: list[EvaluationLoop]
    network: Network

    def train(self, start: int, end: int, seen: int) -> Tally:
        """What a training of these steps came to for the first task."""
        return self.training.train(start, end, seen)[self.training.learners[0].index]

    def test(self) -> Tally:
        """What a test came to for the first task."""
        return self.evaluations[0].test()[self.training.learners[0].index]


def make_loops(
    *flags: str, tasks: str = "id", skip: int = 0, train: int = 30, test: int = 20
) -> Loops:
    """The loops of the tasks that follow the first `skip`, on numbered images for all of them."""
    settings = parse_flags(["--tasks", *tasks.split(), *flags])
    tasks = chosen_tasks(settings)
    network = build_network(settings, [task.classes for task in tasks])
    optimizer = build_optimizer(settings)
    optimizer.build(network.trainable_variables)
    dataset = Dataset(numbered(train), numbered(test), tuple("0123456789"), "numbers")
    datasets = {task.dataset: dataset for task in tasks}
    learners = make_learners(tasks, datasets, settings)
    learners, weights = learners[skip:], relative_weights(settings)[skip:]
    training = TrainingLoop(learners, weights, network, optimizer, settings)
    evaluations = [EvaluationLoop(group, network) for group in by_feed(learners)]
    return Loops(learners[0].feed, training, evaluations, network)


def examples_of(loops: Loops, steps: range) -> np.ndarray:
    """The numbers of the examples that the steps see, [steps, batch]."""
    numbers = []
    for step in steps:
        seen = step * loops.feed.batch
        images, chosen = loops.feed.training_batch(
            *tf.constant([step, seen], tf.int64), loops.training.learners[0].order_key
        )
        pixels = (images.numpy()[:, 0, :2, 0] * 255).round().astype(int)
        numbers.append(pixels @ (256, 1))
        np.testing.assert_array_equal(numbers[-1], chosen.numpy())
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
    for tasks in ("ref id", "id id"):  # also where another task has the same images
        other = make_loops("--seed", "1", tasks=tasks, skip=1, train=1000)
        assert (first != examples_of(other, steps)).mean() > 0.9


def first_image(loops: Loops, step: int) -> np.ndarray:
    images, _ = loops.feed.training_batch(*tf.constant([step, 0], tf.int64), order_key=7)
    return images.numpy()[0, :, :, 0]


def test_noise_is_another_in_every_step_and_task_but_the_same_in_every_run():
    loops = make_loops(tasks="noise")
    assert (first_image(loops, 4) != first_image(loops, 5)).mean() > 0.99
    np.testing.assert_array_equal(first_image(loops, 4), first_image(make_loops(tasks="noise"), 4))
    other_task = make_loops(tasks="id noise", skip=1)
    assert (first_image(loops, 4) != first_image(other_task, 4)).mean() > 0.99


def test_noise_is_the_same_in_every_test():
    loops = make_loops(tasks="noise", test=TEST_BATCH + 10)
    first, again = loops.test(), loops.test()
    assert first == again
    batches = [loops.feed.batch_to_test(tf.constant(start)).numpy() for start in (0, TEST_BATCH)]
    assert (batches[0][:10] != batches[1])[..., 0].mean() > 0.99


def test_perm_is_the_same_wherever_it_stands_and_in_training_and_testing():
    def order(loops, key):
        rows = np.broadcast_to(np.arange(28, dtype=np.uint8)[:, None, None], (1, 28, 28, 1))
        shown = loops.feed.network_input(tf.constant(rows), key, tf.constant(9, tf.int64))
        return (shown.numpy()[0, :, 0, 0] * 255).round().tolist()

    loops, twin = make_loops(tasks="perm"), make_loops(tasks="id inv perm", skip=2)
    other_seed = make_loops("--seed", "5", tasks="perm")
    mine = order(loops, loops.feed.train_key)
    assert mine == order(loops, loops.feed.test_key)
    assert mine == order(twin, twin.feed.train_key)
    assert mine != order(other_seed, other_seed.feed.train_key)


def weights_of(loops: Loops) -> list[np.ndarray]:
    """All weights of the network, the trunk's first."""
    parts = (loops.network.trunk, *loops.network.heads)
    return [weights.numpy() for part in parts for weights in part.weights]


def set_output(loops: Loops, kernel: float, bias: np.ndarray) -> None:
    output = loops.network.heads[0].layers[-1]
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


@pytest.mark.parametrize(("size", "batch"), [(28, 200), (56, 50), (224, 32)])
def test_larger_images_are_tested_in_smaller_batches(size, batch):
    settings = parse_flags(["--tasks", "id", "--image-size", str(size)])
    split = Split(np.zeros((2, 1, 1, 1), np.uint8), np.zeros(2, np.int32))
    datasets = {"mnist": Dataset(split, split, (), "nothing")}
    (learner,) = make_learners(chosen_tasks(settings), datasets, settings)
    assert learner.feed.test_batch == batch


def test_a_step_of_gradient_descent_by_hand():
    """With nothing but the output layer, the gradient of a bias is its softmax minus its target."""
    loops = make_loops("--network", "fc", "--learning-rate", "0.5", "--batch", "4")
    set_output(loops, 0, np.zeros(10, np.float32))
    tally = loops.train(0, 1, 0)
    assert tally.examples == 4
    assert tally.loss == pytest.approx(np.log(10), rel=1e-6)
    expected = np.full(10, -0.5 * 0.1)
    expected[3] = 0.5 * 0.9
    np.testing.assert_allclose(loops.network.heads[0].layers[-1].bias.numpy(), expected, rtol=1e-5)


def test_one_stretch_equals_several():
    flags = ("--batch", "6", "--network", "conv", "fc", "--filters", "4", "--dropout", "0.5")
    whole, parts = make_loops(*flags), make_loops(*flags)
    total = whole.train(0, 7, 0)
    added = parts.train(0, 3, 0) + parts.train(3, 4, 18) + parts.train(4, 7, 24)
    assert total.examples == added.examples == 42
    assert total.correct == added.correct
    assert total.loss_sum == added.loss_sum
    for one, other in zip(weights_of(whole), weights_of(parts), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_step_whose_loss_is_no_number_is_the_last():
    loops = make_loops("--learning-rate", "1e30", "--norm", "none", "--filters", "2")
    with pytest.raises(Diverged) as caught:
        loops.train(0, 9, 0)
    assert (caught.value.task, caught.value.step) == (0, int(loops.training.optimizer.iterations))
    assert caught.value.step < 9
    assert not np.isfinite(caught.value.loss)
    assert np.isfinite(caught.value.last)


def test_a_test_in_pieces_equals_one_at_once():
    loops, pieces = (make_loops("--filters", "2", test=450) for _ in range(2))
    loops.evaluations[0].pace.amount = 9
    pieces.evaluations[0].pace = SimpleNamespace(amount=1, measured=nullcontext)
    assert pieces.feed.test_batch == TEST_BATCH  # and so there are three
    assert loops.test() == pieces.test()


@pytest.mark.parametrize("looks", [1, 2])
def test_a_test_is_given_up_when_stopped(looks):
    loops = make_loops("--filters", "2", test=450)
    answers = iter([False] * (looks - 1) + [True])
    assert loops.evaluations[0].test(lambda: next(answers)) is None


def test_dropout_follows_from_the_step_and_not_from_what_came_before():
    flags = ("--batch", "6", "--filters", "4", "--dropout", "0.5")
    fresh, used = make_loops(*flags), make_loops(*flags)
    initial = weights_of(used)
    used.train(0, 3, 0)
    for weights, value in zip(used.network.trunk.weights, initial, strict=False):
        weights.assign(value)
    used.network.heads[0].set_weights(initial[len(used.network.trunk.weights) :])
    for loops in (fresh, used):
        loops.train(5, 6, 0)
    for one, other in zip(weights_of(fresh), weights_of(used), strict=True):
        np.testing.assert_array_equal(one, other)


def test_adam_trains_too():
    loops = make_loops("--optimizer", "adam", "--learning-rate", "0.01", "--filters", "4")
    before = loops.test().loss
    loops.train(0, 10, 0)
    assert loops.train(10, 11, 1000).loss < before


def test_stretches_of_any_length_are_compiled_once():
    loops = make_loops("--network", "fc")
    for start, end in ((0, 1), (1, 5), (5, 6)):
        loops.train(start, end, start * 100)
    assert loops.training._train.experimental_get_tracing_count() == 1


def test_every_task_is_compiled_once_however_often_they_switch():
    settings = parse_flags(["--tasks", "id", "inv", "--filters", "2", "--batch", "4"])
    tasks = chosen_tasks(settings)
    trainer = Trainer(settings, tasks, {"mnist": Dataset(numbered(9), numbered(9), (), "numbers")})
    for start, end, task in ((0, 1, 0), (1, 4, 1), (4, 6, 0), (6, 7, 1), (7, 8, 0)):
        trainer.loop_for((task,)).train(start, end, 4 * start)
        for evaluation in trainer.evaluations:
            evaluation.test()
    assert len(trainer.loops) == len(trainer.evaluations) == 2
    for loop in trainer.loops.values():
        assert loop._train.experimental_get_tracing_count() == 1
    for evaluation in trainer.evaluations:
        assert evaluation._test.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("tasks", "flags", "tolerance"),
    [
        ("id inv", "--filters 3", 0.01),
        ("id inv", "--filters 3 --norm lrn --schedule joint --l2 0.01", 0.01),
        ("id cifar10", "--network encoder --batch 10", 0.01),
        ("id inv", "--network cross-stitch --batch 10", 0.01),
        ("id inv", "--filters 3 --norm none --precision bfloat16", 0.2),
    ],
)
def test_xla_trains_as_well(tasks, flags, tolerance):
    """A step moves each of the weights by as much as without it."""
    flags = ("--learning-rate", "0.001", "--heads", "multi", *flags.split())
    plain, compiled = (make_loops(*flags, *xla, tasks=tasks) for xla in ((), ("--xla",)))
    before = weights_of(plain)
    for loops in (plain, compiled):
        loops.train(0, 1, 0)
    for start, one, other in zip(before, weights_of(plain), weights_of(compiled), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 + tolerance * abs(one - start).max())
    for start, end in ((1, 2), (2, 5)):  # stretches of any length
        compiled.train(start, end, 100 * start)
    assert compiled.training.update.experimental_get_tracing_count() == 1
    graph = compiled.training._train.get_concrete_function().graph.as_graph_def()
    assert "_XlaMustCompile" in str(graph)


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells a process's memory there")
def test_memory_does_not_grow_with_the_steps(tmp_path):
    """Calls for no step at all, and points of curves, at ever new numbers."""
    loops = make_loops("--network", "fc", "--batch", "1")
    with RunLog(tmp_path, ["id"]) as log:

        def go_on(first: int, count: int) -> int:
            for step in range(first, first + count):
                loops.train(step, step, 1_000_000 + step)
                log.scalars("train", step, {"loss": 1 / (1 + step)})
            log.finish()
            return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        before = go_on(0, 1_000)
        # Where TensorFlow keeps such numbers, it takes some 400 bytes for each.
        assert go_on(10_000, 5_000) - before < 2_000_000


def test_each_group_of_tasks_has_dropout_of_its_own():
    """In a step of two tasks on other images, and in the next step others again."""
    flags = ("--schedule", "joint", "--filters", "2", "--dropout", "0.5")
    loops = make_loops(*flags, tasks="zero one")
    (dropout,) = (layer for layer in loops.network.trunk.layers if "dropout" in layer.name)
    masks = []
    draw = dropout.call
    dropout.call = lambda values, training: (
        masks.append(draw(tf.ones(values.shape), training)) or (draw(values, training))
    )
    for step in (0, 1):
        step = tf.constant(step, tf.int64)
        loops.training.forward(step, loops.training.batches(step, step))
    assert len(masks) == 4
    for one, other in itertools.combinations(masks, 2):
        # Each keeps half of the values, and so half of the pairs are alike.
        assert (one == other).numpy().mean() == pytest.approx(0.5, abs=0.05)


def test_a_tally_by_hand():
    tally = Tally(8, 6, 4.0) + Tally(2, 1, 6.0)
    assert tally.accuracy == 0.7
    assert tally.loss == 1.0


def test_tasks_that_are_trained_together_see_the_same_batch():
    loops = make_loops(tasks="id cifar10 id", train=1000)
    (batch, labels), (other, _) = loops.training.batches(*tf.constant([3, 300], tf.int64))
    assert len(labels) == 2
    np.testing.assert_array_equal(labels[0], labels[1])
    # Another dataset, or another change, is a group of its own, in an order of its own.
    assert (batch.numpy() != other.numpy()).any()


def test_the_losses_that_are_summed_are_weighted():
    """As in the step by hand above, for three heads, of which the second sees other images."""
    weights = ("--schedule", "joint", "--task-weights", "1", "2", "3")
    flags = ("--heads", "multi", "--network", "fc", "--learning-rate", "0.5", "--batch", "4")
    loops = make_loops(*flags, *weights, tasks="id cifar10 id")
    heads = [head.layers[-1] for head in loops.network.heads]
    for output in heads:
        output.kernel.assign(tf.zeros_like(output.kernel))
        output.bias.assign(tf.zeros(10))
    tallies = loops.training.train(0, 1, 0)
    assert [tallies[i].loss for i in range(3)] == pytest.approx([np.log(10)] * 3, rel=1e-6)
    for output, weight in zip(heads, (0.5, 1, 1.5), strict=True):  # of mean 1
        expected = np.full(10, -0.5 * 0.1 * weight)
        expected[3] = 0.5 * 0.9 * weight
        np.testing.assert_allclose(output.bias.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_step_on_one_task_leaves_the_other_heads_alone(optimizer):
    flags = ("--heads", "multi", "--network", "fc", "fc", "--optimizer", optimizer)
    loops = make_loops(*flags, tasks="id id", skip=1)
    before = [head.get_weights() for head in loops.network.heads]
    trunk = loops.network.trunk.get_weights()
    loops.train(0, 1, 0)
    for one, other in zip(before[0], loops.network.heads[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (before[1][1] != loops.network.heads[1].get_weights()[1]).any()
    assert (trunk[1] != loops.network.trunk.get_weights()[1]).any()


def test_weight_decay_by_hand():
    """Its gradient is twice the factor times the weight; biases have none."""
    loops = make_loops("--network", "fc", "--learning-rate", "0.5", "--batch", "4", "--l2", "0.25")
    plain = make_loops("--network", "fc", "--learning-rate", "0.5", "--batch", "4")
    kernel = loops.network.heads[0].layers[-1].kernel.numpy()
    tallies = [each.train(0, 1, 0) for each in (loops, plain)]
    decayed, other = (each.network.heads[0].layers[-1] for each in (loops, plain))
    assert tallies[0].loss == tallies[1].loss  # what is logged is the cross-entropy
    np.testing.assert_allclose(
        decayed.kernel.numpy(), other.kernel.numpy() - 0.5 * 2 * 0.25 * kernel, atol=1e-6
    )
    np.testing.assert_allclose(decayed.bias.numpy(), other.bias.numpy(), atol=1e-6)


def test_the_trunk_is_passed_once_by_tasks_on_the_same_images():
    """However many they are: its convolution stands once in the step's graph, and three times
    where the tasks see three different images.
    """

    def convolutions(tasks: str) -> int:
        loops = make_loops("--heads", "multi", "--filters", "2", tasks=tasks)
        graph = loops.training._train.get_concrete_function().graph.as_graph_def()
        nodes = [node for function in graph.library.function for node in function.node_def]
        return sum(node.op == "Conv2D" for node in nodes)

    once = convolutions("id")
    assert once > 0
    assert convolutions("id id id") == once
    assert convolutions("id inv ref") == 3 * once


def test_pixels_are_standardised():
    loops = make_loops("--standardize", train=50)
    pixels = loops.feed.network_input(loops.feed.train.images, 0, tf.constant(0)).numpy()
    # Of the numbers 0 to 49 in the second pixel: their mean is 24.5, their variance (50² − 1) / 12.
    expected = (np.arange(50) - 24.5) / np.sqrt((50**2 - 1) / 12)
    np.testing.assert_allclose(pixels[:, 0, 1, 0], expected, rtol=1e-4)
    assert not pixels[:, 5:].any()  # a pixel that never changes is 0, and is not divided by 0


def test_pixels_are_standardised_after_the_tasks_change():
    plain, inverted = (make_loops("--standardize", tasks=task, train=50) for task in ("id", "inv"))
    shown = [
        each.feed.network_input(each.feed.train.images, 0, tf.constant(0)).numpy()
        for each in (plain, inverted)
    ]
    np.testing.assert_allclose(shown[0], -shown[1], atol=1e-4)


def test_tasks_on_one_dataset_share_its_arrays():
    # The images are all labelled 3, which is a bear, and so a large carnivore.
    for tasks in ("id inv", "cifar100 cifar100:large_carnivores"):
        one, other = by_feed(make_loops("--heads", "multi", tasks=tasks).training.learners)
        assert one[0].feed.train.images is other[0].feed.train.images
