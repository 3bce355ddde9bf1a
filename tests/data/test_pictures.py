"""Images resized, alone and when datasets are loaded by name."""

import numpy as np
import pytest
from PIL import Image

from data.catalog import CATALOG
from data.pictures import BATCH, to_size
from errors import RequestError
from tests.support.datasets import load_tiny


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [9, 28, 32, 71])
def test_each_image_is_resized_as_pillow_would_alone(channels, size):
    images = np.random.default_rng(0).integers(0, 256, (12, 28, 28, channels), np.uint8)
    resized = to_size(images, size, quiet=True)
    assert resized.shape == (12, size, size, channels)
    assert resized.dtype == np.uint8
    assert resized.flags.c_contiguous
    for image, small in zip(images, resized, strict=True):
        alone = Image.fromarray(image.squeeze()).resize((size, size), Image.Resampling.LANCZOS)
        np.testing.assert_array_equal(small.squeeze(), np.asarray(alone))


def test_images_that_are_not_square():
    images = np.zeros((3, 20, 40, 1), np.uint8)
    images[:, :, 20:] = 200
    resized = to_size(images, 10, quiet=True)
    assert resized.shape == (3, 10, 10, 1)
    assert resized[:, :, :2].max() == 0 and (resized[:, :, 8:] == 200).all()


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 7])
def test_every_image_keeps_its_place(count):
    values = (np.arange(count) % 251).astype(np.uint8)
    images = np.broadcast_to(values[:, None, None, None], (count, 6, 6, 1))
    resized = to_size(images, 4, quiet=True)
    np.testing.assert_array_equal(resized, np.broadcast_to(images[:, :4, :4], (count, 4, 4, 1)))


def test_progress_is_one_line_without_a_terminal(capsys):
    images = np.zeros((2_000, 6, 6, 1), np.uint8)
    to_size(images, 4, quiet=False)
    assert capsys.readouterr().out == "Resizing 2,000 pictures\n"
    to_size(images, 4, quiet=True)
    assert to_size(images, 6, quiet=False) is images
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("size", [20, 28, 32])
def test_every_dataset_has_the_requested_size(every_data_dir, size):
    datasets = load_tiny(CATALOG, every_data_dir, size)
    assert list(datasets) == list(CATALOG)
    for name, dataset in datasets.items():
        for split in (dataset.train, dataset.test):
            assert split.images.shape == (len(split.labels), size, size, CATALOG[name].channels)
            assert split.images.dtype == np.uint8
            assert split.labels.dtype == np.int32
            assert set(split.labels) == set(range(len(dataset.class_names)))
            brightness = {"mnist": 20, "cifar10": 20, "cifar100": 2, "omniglot": 10}.get(name, 20)
            if name != "dogs":
                darkest = 5 * (name == "fashion-mnist")
                expected = np.full((size, size), darkest) + brightness * split.labels[:, None, None]
                np.testing.assert_array_equal(split.images[..., 0], expected)


def test_drawn_pictures_have_the_requested_size():
    drawn = load_tiny(["dogs"], None, 32, fake_data=True)["dogs"]
    assert drawn.train.images.shape == (900, 32, 32, 3)
    assert drawn.origin == "drawn dogs, not photographs"


def test_a_file_system_error(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("data.mnist.find", refuse)
    with pytest.raises(RequestError, match=r"the data cannot be read: .*denied: 'somewhere'"):
        load_tiny(["mnist"], tmp_path)
