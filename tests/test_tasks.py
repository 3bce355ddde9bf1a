"""Every task's change and both input styles, on pictures whose right answer is plain."""

import numpy as np
import pytest
import tensorflow as tf

from tasks import CHANNELS, TASKS, Seeds

SEEDS = Seeds(run=tf.constant([7, 0], tf.int64), batch=tf.constant([8, 3], tf.int64))


def rows_picture() -> np.ndarray:
    """Two images [2, 28, 28, 1] uint8: row r of the first is r, of the second 100 + r."""
    rows = np.arange(28, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 1), np.uint8)
    return np.stack([rows, rows + 100])


def grey(name: str, images: np.ndarray, seeds: Seeds = SEEDS) -> np.ndarray:
    """What the task makes of grey images, in the scale of bytes, [B, 28, 28]."""
    shown = TASKS[name].network_input(tf.constant(images), seeds, "combined").numpy()
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
    shown = TASKS["dog"].network_input(tf.constant(photograph), SEEDS, "combined").numpy()
    np.testing.assert_allclose(shown[0, 2, 3], (1, 0.2, 0.4), atol=1e-6)
    assert shown.shape == (1, 28, 28, 3)
    assert shown.sum() == pytest.approx(1.6)


def test_channelplex_keeps_grey_and_colour_apart():
    photograph = np.full((1, 28, 28, 3), (255, 51, 102), np.uint8)
    shown = TASKS["dog"].network_input(tf.constant(photograph), SEEDS, "channelplex").numpy()
    np.testing.assert_allclose(shown[0, 2, 3], (0, 1, 0.2, 0.4), atol=1e-6)
    digit = np.full((1, 28, 28, 1), 51, np.uint8)
    shown = TASKS["id"].network_input(tf.constant(digit), SEEDS, "channelplex").numpy()
    np.testing.assert_allclose(shown[0, 2, 3], (0.2, 0, 0, 0), atol=1e-6)


@pytest.mark.parametrize("name", ["inv", "one", "noise"])
def test_a_grey_change_leaves_the_other_channels_empty(name):
    digits = np.full((1, 28, 28, 1), 51, np.uint8)
    shown = TASKS[name].network_input(tf.constant(digits), SEEDS, "channelplex").numpy()
    assert shown[..., 0].min() >= 0
    assert shown[..., 0].any()
    assert not shown[..., 1:].any()


def test_every_task_has_ten_classes_and_fits_both_styles():
    assert set(TASKS) >= {"id", "ref", "inv", "noise", "perm", "zero", "one", "dog"}
    for name, task in TASKS.items():
        assert task.name == name
        assert task.classes == 10
        images = np.zeros((2, 28, 28, 3 if task.dataset == "dogs" else 1), np.uint8)
        for style, channels in CHANNELS.items():
            shown = task.network_input(tf.constant(images), SEEDS, style)
            assert shown.shape == (2, 28, 28, channels)
