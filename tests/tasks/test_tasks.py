"""Every task's change and both input styles, on pictures whose right answer is plain."""

import numpy as np
import pytest
import tensorflow as tf

from errors import RequestError
from networks.channels import CHANNELS, lay_channels
from tasks import TASKS, Seeds, Task, find_tasks

SEEDS = Seeds(run=tf.constant([7, 0], tf.int64), batch=tf.constant([8, 3], tf.int64))


def rows_picture() -> np.ndarray:
    """Two images [2, 28, 28, 1] uint8: row r of the first is r, of the second 100 + r."""
    rows = np.arange(28, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 1), np.uint8)
    return np.stack([rows, rows + 100])


def network_input(task: Task, images: np.ndarray, seeds: Seeds, style: str) -> np.ndarray:
    """What the network sees of images [B, H, W, C] uint8."""
    return lay_channels(task.change(tf.constant(images, tf.float32) / 255, seeds), style).numpy()


def grey(name: str, images: np.ndarray, seeds: Seeds = SEEDS) -> np.ndarray:
    """What the task makes of grey images, in the scale of bytes, [B, 28, 28]."""
    shown = network_input(TASKS[name], images, seeds, "combined")
    assert shown.dtype == np.float32
    assert shown.shape == (*images.shape[:3], 3)
    assert not shown[..., 1:].any()
    return shown[..., 0] * 255


def test_id_is_the_image_itself():
    np.testing.assert_allclose(grey("id", rows_picture()), rows_picture()[..., 0], atol=1e-4)


def test_ref_turns_top_to_bottom():
    shown = grey("ref", rows_picture())
    np.testing.assert_allclose(shown[0, :, 5], np.arange(27, -1, -1), atol=1e-4)
    np.testing.assert_allclose(shown[1, 0], 127, atol=1e-4)


def test_ref_leaves_left_and_right():
    columns = rows_picture().transpose(0, 2, 1, 3)
    np.testing.assert_allclose(grey("ref", columns), columns[..., 0], atol=1e-4)


def test_inv_swaps_black_and_white():
    picture = np.zeros((1, 28, 28, 1), np.uint8)
    picture[0, 3, 4] = 255
    picture[0, 5, 6] = 55
    shown = grey("inv", picture)[0]
    assert shown[3, 4] == 0
    assert shown[5, 6] == pytest.approx(200)
    assert shown[0, 0] == 255


def test_zero_and_one():
    assert not grey("zero", rows_picture()).any()
    assert (grey("one", rows_picture()) == 255).all()


def test_perm_reorders_the_rows_alike_in_every_image():
    first, second = grey("perm", rows_picture())
    order = first[:, 0].round().astype(int)
    assert sorted(order) == list(range(28))
    assert list(order) != list(range(28))
    np.testing.assert_allclose(first, np.repeat(order[:, None], 28, axis=1), atol=1e-4)
    np.testing.assert_allclose(second, first + 100, atol=1e-3)


def test_perm_follows_from_the_run_alone():
    other_batch = Seeds(run=SEEDS.run, batch=tf.constant([9, 4], tf.int64))
    other_run = Seeds(run=tf.constant([6, 0], tf.int64), batch=SEEDS.batch)
    shown = grey("perm", rows_picture())
    np.testing.assert_array_equal(shown, grey("perm", rows_picture(), other_batch))
    assert (shown != grey("perm", rows_picture(), other_run)).any()


def test_noise_is_uniform_and_fresh_in_every_batch():
    images = np.zeros((50, 28, 28, 1), np.uint8)
    shown = grey("noise", images) / 255
    assert 0 <= shown.min() < 0.001
    assert 0.999 < shown.max() < 1
    assert shown.mean() == pytest.approx(0.5, abs=0.01)
    assert shown.std() == pytest.approx(12**-0.5, abs=0.01)
    other_batch = Seeds(run=SEEDS.run, batch=tf.constant([8, 4], tf.int64))
    assert (shown != grey("noise", images, other_batch) / 255).mean() > 0.99
    np.testing.assert_array_equal(shown, grey("noise", images) / 255)


def test_combined_fills_all_three_channels_with_colour():
    photograph = np.zeros((1, 28, 28, 3), np.uint8)
    photograph[0, 2, 3] = (255, 51, 102)
    shown = network_input(TASKS["dog"], photograph, SEEDS, "combined")
    np.testing.assert_allclose(shown[0, 2, 3], (1, 0.2, 0.4), atol=1e-6)
    assert shown.shape == (1, 28, 28, 3)
    assert shown.sum() == pytest.approx(1.6)


def test_channelplex_keeps_grey_and_colour_apart():
    photograph = np.full((1, 28, 28, 3), (255, 51, 102), np.uint8)
    shown = network_input(TASKS["dog"], photograph, SEEDS, "channelplex")
    np.testing.assert_allclose(shown[0, 2, 3], (0, 1, 0.2, 0.4), atol=1e-6)
    digit = np.full((1, 28, 28, 1), 51, np.uint8)
    shown = network_input(TASKS["id"], digit, SEEDS, "channelplex")
    np.testing.assert_allclose(shown[0, 2, 3], (0.2, 0, 0, 0), atol=1e-6)


@pytest.mark.parametrize("name", ["inv", "one", "noise"])
def test_a_grey_change_leaves_the_other_channels_empty(name):
    digits = np.full((1, 28, 28, 1), 51, np.uint8)
    shown = network_input(TASKS[name], digits, SEEDS, "channelplex")
    assert shown[..., 0].min() >= 0
    assert shown[..., 0].any()
    assert not shown[..., 1:].any()


def test_every_task_fits_both_styles():
    assert set(TASKS) >= {"id", "ref", "inv", "noise", "perm", "zero", "one", "dog"}
    for name, task in TASKS.items():
        assert task.name == name
        colour = task.dataset in ("dogs", "cifar10", "cifar100")
        images = np.zeros((2, 28, 28, 3 if colour else 1), np.uint8)
        for style, channels in CHANNELS.items():
            shown = network_input(task, images, SEEDS, style)
            assert shown.shape == (2, 28, 28, channels)


ALPHABETS = {"Greek": ["character01", "character02"], "Latin": ["character01"]}


def find(*names: str) -> list[Task]:
    return find_tasks(names, lambda: ALPHABETS)


def labels_of(task: Task, labels: list[int]) -> tuple[list[int] | None, list[int]]:
    """Which of these labels' examples the task takes, and its own labels for them."""
    examples, mapped = task.choose(np.array(labels, np.int32))
    assert mapped.dtype == np.int32
    return None if examples is None else examples.tolist(), mapped.tolist()


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
    # 1, 32, 67, 73 and 91 are fish among the hundred in the order of the alphabet; 0 is apple.
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


def test_which_tasks_see_the_same_images():
    def alike(first: str, second: str) -> bool:
        one, other = find(first, second)
        return one.images == other.images

    assert alike("cifar10:cat", "cifar10:dog")
    assert alike("cifar10:cat", "cifar10")
    assert alike("fashion", "fashion-group")
    assert not alike("id", "inv")
    assert not alike("cifar100:fish", "cifar100:trees")
    assert not alike("id", "fashion")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar10:cta", "cifar10 has no 'cta' (did you mean cat?); it has airplane, automobile"),
        ("cifar10:10", "a number from 0 to 9 is one too"),
        ("cifar100:cat", "cifar100 has no 'cat'"),
        ("omniglot:greek", "omniglot has no 'greek' (did you mean Greek?); it has Greek, Latin"),
        ("cifar10:", "cifar10 has no ''"),
        ("id:*", "no task 'id:*'"),
        ("omnigolt", "no task 'omnigolt' (did you mean omniglot?)"),
    ],
)
def test_what_there_is_not(name, message):
    with pytest.raises(RequestError) as caught:
        find(name)
    assert message in str(caught.value)


def test_omniglot_is_looked_for_only_where_it_is_named():
    def alphabets():
        raise RequestError("looked for")

    assert find_tasks(["id", "cifar10:*"], alphabets)
    with pytest.raises(RequestError, match="looked for"):
        find_tasks(["omniglot:Greek"], alphabets)
