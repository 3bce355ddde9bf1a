"""The mapping from a network's outputs to the classes of the tasks that it can answer."""

import numpy as np
import pytest
import tensorflow as tf

from errors import RequestError
from tasks import TASKS, find_tasks
from training.scoring import OutputMap, output_map


def test_superclasses_are_scored_by_the_best_of_their_outputs():
    (fish,) = find_tasks(["cifar100:fish"], dict)
    mapping = output_map(fish, [TASKS["cifar100"]], heads=1)
    logits = np.zeros((2, 100), np.float32)
    logits[:, 0] = 9  # apple is likeliest, but no fish
    logits[0, 32], logits[1, 91] = 1, 1
    assert mapping.predict(tf.constant(logits)).numpy().tolist() == [1, 4]


def test_groups_are_scored_by_the_classes_in_them():
    mapping = output_map(TASKS["fashion-group"], [TASKS["fashion"]], heads=1)
    logits = np.eye(10, dtype=np.float32)
    assert mapping.predict(tf.constant(logits)).numpy().tolist() == [2, 2, 2, 1, 2, 0, 1, 0, 1, 0]


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
