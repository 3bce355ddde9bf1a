"""Input styles."""

import numpy as np
import pytest

from networks.channels import CHANNELS, lay_channels


@pytest.mark.parametrize(
    ("style", "pixel", "expected"),
    [
        ("combined", [0.2], [0.2, 0, 0]),
        ("combined", [1, 0.2, 0.4], [1, 0.2, 0.4]),
        ("channelplex", [0.2], [0.2, 0, 0, 0]),
        ("channelplex", [1, 0.2, 0.4], [0, 1, 0.2, 0.4]),
    ],
)
def test_gray_and_color_images_fill_the_channels_of_the_style(style, pixel, expected):
    images = np.zeros((2, 28, 28, len(pixel)), np.float32)
    images[1, 2, 3] = pixel
    laid = lay_channels(images, style).numpy()
    assert laid.shape == (2, 28, 28, CHANNELS[style])
    np.testing.assert_array_equal(laid[1, 2, 3], np.array(expected, np.float32))
    assert np.count_nonzero(laid) == len(pixel)
