"""Networks and problems with given settings, on images whose content is known."""

from collections.abc import Callable, Sequence

import numpy as np

from data.dataset import Dataset, Split
from model import Network, build_network
from runs.history import Tally
from runs.request import resolve
from settings import Settings
from tasks.resolve import choose_tasks
from training.problem import Problem


def make_settings(**given: object) -> Settings:
    """Returns resolved settings, by their flat names; the task is `id` unless others are given."""
    return resolve(Settings().replace(**{"tasks": ("id",), **given}))


def make_network(*network: str, classes: Sequence[int] = (10,), **given: object) -> Network:
    """Builds a network of these layers, or the default one; `classes` are those of each task."""
    settings = make_settings(**{"network": network} if network else {}, **given)
    return build_network(settings.network, settings.input, classes, settings.training.seed)


def numbered(count: int) -> Split:
    """Returns images whose first two pixels are their number in base 256, all labeled 3."""
    images = np.zeros((count, 28, 28, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = divmod(np.arange(count), 256)
    return Split(images, np.full(count, 3, np.int32))


def make_problem(
    train: int = 30, test: int = 20, make: Callable[[int], Split] = numbered, **given: object
) -> Problem:
    """Builds a problem whose tasks all have the images that `make` returns."""
    settings = make_settings(**given)
    tasks = choose_tasks(settings.tasks, settings.data, quiet=True)
    dataset = Dataset(make(train), make(test), tuple("0123456789"), "made here")
    return Problem(settings, tasks, {task.dataset: dataset for task in tasks})


def train(problem: Problem, start: int, end: int, task: int = 0) -> Tally:
    """Trains steps of a task that is the only one, and returns their tally."""
    return problem.loop_for((task,)).train(start, end, start * problem.training.batch)[task]


def weights_of(network: Network) -> list[np.ndarray]:
    """Returns the network's weights, the trunk's first."""
    parts = (network.trunk, *network.heads)
    return [weights.numpy() for part in parts for weights in part.weights]


def set_output(network: Network, bias: np.ndarray | float = 0.0) -> None:
    """Sets the output layers' weights to 0, and their biases."""
    for head in network.heads:
        output = head.layers[-1]
        output.kernel.assign(np.zeros(output.kernel.shape))
        output.bias.assign(np.full(output.bias.shape, bias))
