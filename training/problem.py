"""A network and the tasks that it learns: training and evaluation without a log."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from data.dataset import Dataset
from model import build_network, build_optimizer
from networks.columns import CrossStitch
from runs.history import Tally
from settings import Settings
from tasks import Task
from tasks.schedule import loss_weights
from training.evaluation import EvaluationLoop
from training.feed import by_feed, make_task_data
from training.step import TrainingLoop

# Keras opens the scope of a part twice, the first time in vain, so that TensorFlow numbers it.
SECOND_SCOPE = re.compile(r"^(\^?(?:trunk|head[^/]*))_1/")


class Problem:
    """A network with its optimizer, the data of its tasks, and the compiled loops over both."""

    def __init__(
        self, settings: Settings, tasks: Sequence[Task], datasets: Mapping[str, Dataset]
    ) -> None:
        """Builds the network with its initial weights, and puts the tasks' data on the device.

        Raises:
            RequestError: the data has no example of a task, or pre-trained weights cannot be
                loaded.
        """
        training = settings.training
        self.training, self.xla = training, settings.device.xla
        self.network = build_network(
            settings.network, settings.input, [task.classes for task in tasks], training.seed
        )
        self.network.name_parts([task.name for task in tasks])
        self.optimizer = build_optimizer(training)
        self.optimizer.build(self.network.trainable_variables)
        self.task_data = make_task_data(tasks, datasets, settings.input, training)
        self.weights = loss_weights(settings.tasks)
        self.evaluations = [
            EvaluationLoop(group, self.network) for group in by_feed(self.task_data)
        ]
        self.loops: dict[tuple[int, ...], TrainingLoop] = {}  # by the tasks that each trains

    def loop_for(self, tasks: tuple[int, ...]) -> TrainingLoop:
        """Returns the loop that trains these tasks together; it compiles when it is first used."""
        if tasks not in self.loops:
            weights = self.weights if len(tasks) > 1 else [1.0]
            task_data = [self.task_data[task] for task in tasks]
            loop = TrainingLoop(task_data, weights, self.network, self.optimizer, self.training)
            if self.xla:
                loop.compile_with_xla()
            self.loops[tasks] = loop
        return self.loops[tasks]

    def evaluate(self, stopped: Callable[[], bool]) -> list[Tally] | None:
        """Evaluates every task, in the order of the tasks; None if `stopped` returned True."""
        by_index: dict[int, Tally] = {}
        for loop in self.evaluations:
            tallies = loop.evaluate(stopped)
            if tallies is None:
                return None
            by_index |= tallies
        return [by_index[index] for index in range(len(self.task_data))]

    def confusions(self) -> dict[int, np.ndarray]:
        """Returns each task's confusion matrix of the last evaluation, by its index."""
        found = {}
        for loop in self.evaluations:
            found |= loop.confusions()
        return found

    def scales(self) -> list[tf.Tensor]:
        """Returns each task's mean and deviation, [2, H, W, 1 or 3]; none without standardizing."""
        return [tf.stack(data.feed.scale) for data in self.task_data if data.feed.scale]

    def mixing(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yields the name and the weights of each cross-stitch unit, [T, T, C] float32."""
        for layer in self.network.trunk.layers:
            if isinstance(layer, CrossStitch):
                yield layer.name, layer.mixing.numpy()

    def graph(self) -> tf.compat.v1.GraphDef:
        """Returns the network's graph, from a batch of the first task to each task's logits."""
        shape = self.task_data[0].feed.train.images.shape[1:]
        images = tf.TensorSpec((None, *shape), tf.float32)
        tasks = range(len(self.network.heads))
        network = tf.function(
            lambda images: self.network.logits(images, tasks, training=False), autograph=False
        )
        graph = network.get_concrete_function(images).graph.as_graph_def(add_shapes=True)
        for node in graph.node:
            node.name = SECOND_SCOPE.sub(r"\1/", node.name)
            node.input[:] = [SECOND_SCOPE.sub(r"\1/", name) for name in node.input]
        return graph
