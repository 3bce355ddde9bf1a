"""The mapping from a network's outputs to the classes of the tasks that it can answer."""

import numpy as np
import pytest
import tensorflow as tf

from errors import RequestError
from tasks import TASKS, find_tasks
from training.scoring import OutputMap, output_map


@pytest.mark.parametrize(
    ("name", "trained", "logits", "answers"),
    [
        # Apple, 0, is likeliest, but no fish.
        ("cifar100:fish", "cifar100", 9 * np.eye(100)[[0]] + np.eye(100)[[32, 91]], [1, 4]),
        ("fashion-group", "fashion", np.eye(10), [2, 2, 2, 1, 2, 0, 1, 0, 1, 0]),
    ],
)
def test_a_class_is_scored_by_the_best_of_the_outputs_in_it(name, trained, logits, answers):
    (task,) = find_tasks([name], dict)
    mapping = output_map(task, [TASKS[trained]], heads=1)
    assert mapping.predict(tf.constant(logits, tf.float32)).numpy().tolist() == answers


def test_the_head_that_answers():
    tasks = find_tasks(["id", "cifar10:cat", "cifar10"], dict)
    (dog,) = find_tasks(["cifar10:dog"], dict)
    assert output_map(tasks[1], tasks, heads=3) == OutputMap(1)
    assert output_map(dog, tasks, heads=3) == OutputMap(2, dog.labels)
    # A transform that the network has not seen: as many classes as its only head.
    assert output_map(TASKS["ref"], [TASKS["id"]], heads=1) == OutputMap(0)
    with pytest.raises(RequestError, match="does not fit the network"):
        output_map(TASKS["ref"], tasks, heads=3)
    with pytest.raises(RequestError, match=r"id \(10\), cifar10:cat \(2\), cifar10 \(10\)"):
        output_map(TASKS["fashion-group"], tasks, heads=3)
