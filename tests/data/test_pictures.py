"""Images decoded and resized, alone and when datasets are loaded by name."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from data import dogs, omniglot
from data.catalog import CATALOG
from data.pictures import BATCH, decoded, open_image, picture_threads, to_size
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


def gray_16(*values, **options):
    """Returns an image of 16-bit gray values in a PNG file."""
    return saved(Image.fromarray(np.array([values], np.uint16)), **options)


def saved(image, form="PNG", **options):
    """Returns an image in a file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def pixels(mode, *values):
    """Returns an image of one row."""
    image = Image.new(mode, (len(values), 1))
    image.putdata(values)
    return image


def palette(*colors, **options):
    """Returns an image of one row with a palette of its colors, in a PNG file."""
    image = pixels("P", *range(len(colors)))
    image.putpalette([value for color in colors for value in color])
    return saved(image, **options)


def png(depth, color, row, transparent):
    """Returns a PNG file of one row of 4 pixels, with a transparent color, as bytes."""
    buffer = io.BytesIO(PngImagePlugin._MAGIC)
    buffer.seek(0, io.SEEK_END)
    PngImagePlugin.putchunk(buffer, b"IHDR", struct.pack(">IIBBBBB", 4, 1, depth, color, 0, 0, 0))
    PngImagePlugin.putchunk(buffer, b"tRNS", transparent)
    PngImagePlugin.putchunk(buffer, b"IDAT", zlib.compress(b"\0" + row))
    PngImagePlugin.putchunk(buffer, b"IEND")
    return buffer.getvalue()


COLORS_16 = struct.pack(">12H", *[0] * 3, *[0x1234] * 3, *[0x3434] * 3, *[0xFFFF] * 3)


# Files of gray pixels, of every kind that Pillow reads, and their gray values of 8 bits.
GRAY = {
    "1 bit": (saved(pixels("1", 0, 1)), [0, 255]),
    "8 bits": (saved(pixels("L", 0, 127, 255)), [0, 127, 255]),
    "16 bits": (gray_16(0, 255, 256, 32_639, 65_535), [0, 0, 1, 127, 255]),
    "16 bits, one transparent": (gray_16(0, 32_639, 65_535, transparency=32_639), [0, 255, 255]),
    "8 bits, one transparent": (saved(pixels("L", 0, 127), transparency=127), [0, 255]),
    "2 bits, one transparent": (png(2, 0, b"\x1b", b"\0\1"), [0, 255, 170, 255]),
    "4 bits, one transparent": (png(4, 0, b"\x05\xaf", b"\0\x0a"), [0, 85, 255, 255]),
    "color of 16 bits, one transparent": (
        png(16, 2, COLORS_16, b"\x12\x34" * 3),
        [0, 255, 0x34, 255],
    ),
    "alpha": (saved(pixels("LA", (0, 0), (0, 51), (0, 255), (9, 255))), [255, 204, 0, 9]),
    "palette": (palette((0, 0, 0), (77, 77, 77)), [0, 77]),
    "palette, one transparent": (palette((0, 0, 0), (77, 77, 77), transparency=0), [255, 77]),
    "palette, alpha": (palette((0, 0, 0), (77, 77, 77), transparency=b"\x33\xff"), [204, 77]),
    "color": (saved(pixels("RGB", (5, 5, 5), (200, 200, 200))), [5, 200]),
    "color, one transparent": (
        saved(pixels("RGB", (5, 5, 5), (9, 9, 9)), transparency=(5, 5, 5)),
        [255, 9],
    ),
    "color and alpha": (saved(pixels("RGBA", (7, 7, 7, 0), (7, 7, 7, 255))), [255, 7]),
    "JPEG": (saved(Image.new("L", (4, 1), 99), "JPEG"), [99] * 4),
    "JPEG of four inks": (saved(Image.new("CMYK", (4, 1), (0, 0, 0, 155)), "JPEG"), [100] * 4),
}


@pytest.mark.parametrize(("contents", "gray"), GRAY.values(), ids=GRAY)
def test_every_kind_of_pixel_is_scaled_to_8_bits_on_white(contents, gray):
    for mode in ("L", "RGB"):
        with open_image(io.BytesIO(contents), ("PNG", "JPEG")) as image:
            values = np.asarray(decoded(image, mode)).reshape(len(gray), -1)
        assert abs(values - np.array(gray)[:, None].astype(int)).max() <= 1


def test_photographs_and_drawings_of_16_bits(tmp_path):
    contents = saved(Image.fromarray(np.full((60, 80), 32_639, np.uint16)))
    (tmp_path / "gray.png").write_bytes(contents)
    assert (dogs.decode(tmp_path / "gray.png", 28) == 127).all()
    assert (omniglot.decode(contents, 28) == 127).all()


# For each value of EXIF's orientation, how the camera had turned what is upright.
TURNS = {
    **{1: None, 2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM"},
    **{5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"},
}


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", TURNS)
def test_images_are_turned_upright(tmp_path, orientation, form):
    upright = Image.new("RGB", (640, 320), (255, 0, 0))
    upright.paste((0, 0, 255), (0, 0, 320, 160))
    upright.paste((0, 255, 0), (320, 160, 640, 320))
    turn = TURNS[orientation]
    held = upright.transpose(Image.Transpose[turn]) if turn else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"subsampling": 0} if form == "JPEG" else {}
    path = tmp_path / "image"
    path.write_bytes(saved(upright, form, **options))
    expected = dogs.decode(path, 28)
    path.write_bytes(saved(held, form, exif=exif, **options))
    difference = abs(dogs.decode(path, 28).astype(int) - expected)
    assert difference.max() <= (30 if form == "JPEG" else 0)
    assert difference.mean() < 1


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_damaged_metadata_says_nothing(tmp_path, form):
    path, image = tmp_path / "image", Image.new("RGB", (90, 60), (9, 99, 200))
    for exif in (b"Exif\0\0junk", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12"):
        path.write_bytes(saved(image, form, exif=exif))
        with picture_threads():  # where Pillow warns of nothing
            assert abs(dogs.decode(path, 28).astype(int) - (9, 99, 200)).max() < 4
