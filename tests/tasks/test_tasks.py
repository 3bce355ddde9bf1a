"""Every task's transform and labels, and the tasks by name."""

import numpy as np
import pytest
import tensorflow as tf

from data.catalog import CATALOG
from errors import RequestError
from tasks import TASKS, Seeds, Task, find_tasks

SEEDS = Seeds(run=tf.constant([7, 0], tf.int64), batch=tf.constant([8, 3], tf.int64))


def transformed(name: str, images: np.ndarray, seeds: Seeds = SEEDS) -> np.ndarray:
    """Returns images [B, H, W, C] in 0 to 1 as the task has them."""
    return TASKS[name].transform(tf.constant(images, tf.float32), seeds).numpy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", TASKS)
def test_a_transform_does_as_by_hand_and_keeps_shape_type_and_range(name, channels):
    assert TASKS[name].name == name
    images = np.random.default_rng(0).random((2, 28, 28, channels), np.float32)
    result = transformed(name, images)
    assert (result.shape, result.dtype) == (images.shape, np.float32)
    assert 0 <= result.min() <= result.max() <= 1
    by_hand = {
        "id": images,
        "ref": images[:, ::-1],  # top to bottom, and not left to right
        "inv": 1 - images,
        "zero": np.zeros_like(images),
        "one": np.ones_like(images),
    }
    if name in by_hand:
        np.testing.assert_array_equal(result, by_hand[name])


def test_perm_permutes_the_rows_of_all_images_in_the_order_of_the_run():
    images = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    result = transformed("perm", images)
    rows = images[0, :, 0, 0].tolist()
    order = [rows.index(value) for value in result[0, :, 0, 0]]
    assert list(range(28)) == sorted(order) != order
    np.testing.assert_array_equal(result, images[:, order])
    other_batch = Seeds(run=SEEDS.run, batch=tf.constant([9, 4], tf.int64))
    other_run = Seeds(run=tf.constant([6, 0], tf.int64), batch=SEEDS.batch)
    np.testing.assert_array_equal(result, transformed("perm", images, other_batch))
    assert (result != transformed("perm", images, other_run)).any()


def test_noise_is_uniform_and_follows_from_the_batch():
    images = np.zeros((50, 28, 28, 1))
    result = transformed("noise", images)
    assert 0 <= result.min() < 0.001
    assert 0.999 < result.max() < 1
    assert result.mean() == pytest.approx(0.5, abs=0.01)
    assert result.std() == pytest.approx(12**-0.5, abs=0.01)
    other_batch = Seeds(run=SEEDS.run, batch=tf.constant([8, 4], tf.int64))
    assert (result != transformed("noise", images, other_batch)).mean() > 0.99
    np.testing.assert_array_equal(result, transformed("noise", images))


ALPHABETS = {"Greek": ["character01", "character02"], "Latin": ["character01"]}


def find(*names: str) -> list[Task]:
    return find_tasks(names, lambda: ALPHABETS)


def labels_of(task: Task, labels: list[int]) -> tuple[list[int] | None, list[int]]:
    """Returns the places of the examples that the task takes, and its labels for them."""
    examples, mapped = task.choose(np.array(labels, np.int32))
    assert mapped.dtype == np.int32
    return None if examples is None else examples.tolist(), mapped.tolist()


def test_the_catalog_has_the_datasets_of_all_tasks():
    tasks = [*TASKS.values(), *find("cifar10:*", "cifar100:*", "omniglot", "omniglot:*")]
    assert {task.dataset for task in tasks} == CATALOG.keys()
    assert {"id", "ref", "inv", "noise", "perm", "zero", "one", "dog"} <= TASKS.keys()
    assert find("mnist") == find("id")


def test_the_clothes_are_grouped():
    group = TASKS["fashion-group"]
    # T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, boot.
    names = [group.class_names[label] for label in labels_of(group, list(range(10)))[1]]
    assert names == [
        *("other", "other", "other", "women's", "other"),
        *("shoes", "women's", "shoes", "women's", "shoes"),
    ]
    assert (TASKS["fashion"].classes, group.classes) == (10, 3)


def test_a_class_of_cifar10_or_not():
    (cat,) = find("cifar10:cat")
    assert labels_of(cat, [3, 0, 9, 3]) == (None, [1, 0, 0, 1])
    assert (cat.classes, cat.class_names) == (2, ("not cat", "cat"))
    assert find("cifar10:3") == [cat]
    names = [task.name for task in find("cifar10:*")]
    assert len(names) == 10
    assert (names[0], names[9]) == ("cifar10:airplane", "cifar10:truck")


def test_a_superclass_of_cifar100():
    (fish,) = find("cifar100:fish")
    assert fish.class_names == ("aquarium_fish", "flatfish", "ray", "shark", "trout")
    # 1, 32, 67, 73 and 91 are fish among the hundred in alphabetical order; 0 is apple.
    assert labels_of(fish, [1, 0, 91, 32, 99, 67, 73]) == ([0, 2, 3, 5, 6], [0, 4, 1, 2, 3])
    assert find("cifar100:1") == [fish]
    tasks = find("cifar100:*")
    assert len(tasks) == 20
    assert {task.classes for task in tasks} == {5}
    assert TASKS["cifar100"].classes == 100


def test_alphabets_of_omniglot():
    whole, greek, latin = find("omniglot", "omniglot:*")
    assert [task.classes for task in (whole, greek, latin)] == [3, 2, 1]
    assert labels_of(greek, [2, 1, 0]) == ([1, 2], [1, 0])
    assert labels_of(latin, [2, 1, 0]) == ([0], [0])
    assert labels_of(whole, [2, 1, 0]) == (None, [2, 1, 0])


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("cifar10:cat", "cifar10:dog", True),
        ("cifar10:cat", "cifar10", True),
        ("fashion", "fashion-group", True),
        ("id", "inv", False),
        ("cifar100:fish", "cifar100:trees", False),
        ("id", "fashion", False),
    ],
)
def test_tasks_see_the_same_images_if_they_differ_in_labels_alone(first, second, alike):
    one, other = find(first, second)
    assert (one.images == other.images) == alike


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar10:cta", "cifar10 has no 'cta' (did you mean cat?); it has airplane, automobile"),
        ("cifar10:10", "or name a number from 0 to 9, or * for all"),
        ("cifar100:cat", "cifar100 has no 'cat'"),
        ("omniglot:greek", "omniglot has no 'greek' (did you mean Greek?); it has Greek, Latin"),
        ("cifar10:", "cifar10 has no ''"),
        ("id:*", "no task 'id:*'"),
        ("omnigolt", "no task 'omnigolt' (did you mean omniglot?)"),
    ],
)
def test_unknown_names_are_refused(name, message):
    with pytest.raises(RequestError) as caught:
        find(name)
    assert message in str(caught.value)


def test_the_alphabets_are_read_only_for_tasks_of_omniglot():
    def alphabets():
        raise RequestError("read")

    assert find_tasks(["id", "cifar10:*"], alphabets)
    with pytest.raises(RequestError, match="read"):
        find_tasks(["omniglot:Greek"], alphabets)
