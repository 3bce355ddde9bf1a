"""Photographs in every layout, their split, and their decoding, sound and damaged."""

import os
import warnings
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from data import dogs
from data.breeds import find_photographs, hold_out
from data.dogs import decode
from data.pictures import decode_splits
from errors import RequestError
from settings import DataSettings
from tests.support.datasets import (
    BREEDS,
    check_equal,
    photograph,
    png_that_claims,
    write_kaggle,
)


def write_folders(folder, names, each):
    for name in names:
        for number in range(each):
            photograph(folder / name / f"{number}.JPEG", (80, 10, 200))


def load(folder, breeds=None):
    settings = DataSettings(data_dog_dir=folder, dog_breeds=breeds)
    return dogs.find(settings, 28, quiet=True).read()


@pytest.mark.parametrize("breeds", [BREEDS, ("dingo", "beagle")])
def test_kaggle_layout(tmp_path, breeds):
    dataset = load(write_kaggle(tmp_path), breeds)
    assert dataset.class_names == breeds
    for split, each in ((dataset.train, 9), (dataset.test, 1)):
        assert split.images.shape == (len(breeds) * each, 28, 28, 3)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int32)
        assert split.labels.tolist() == sorted([*range(len(breeds))] * each)
        expected = [80 * BREEDS.index(breeds[label]) for label in split.labels]
        red = split.images[:, 14, 14, 0].astype(int)
        assert abs(red - expected).max() < 4  # JPEG is not exact


def test_a_pipe_among_the_photographs_of_a_breed(tmp_path):
    write_folders(tmp_path, ["beagle", "dingo"], each=2)
    os.mkfifo(tmp_path / "beagle" / "pipe.jpg")
    check_error(tmp_path, r"pipe.jpg: cannot be used \(it is no regular file\); replace or remove")


TWELVE = [f"breed{letter}" for letter in "lkjihgfedcba"]


@pytest.mark.parametrize(
    ("folders", "each", "breeds", "counts"),
    [
        (["n02085620-Chihuahua", "beagle"], 10, ["beagle", "Chihuahua"], (18, 2)),
        # Imagewoof's layout keeps its own test split.
        (["train/n02115641", "train/a", "val/n02115641", "val/a"], 4, ["a", "dingo"], (8, 8)),
        (TWELVE, 2, sorted(TWELVE)[:10], (10, 10)),
        # Another process may be writing its cache in a hidden folder.
        (["beagle", "dingo", ".cache-x"], 2, ["beagle", "dingo"], (2, 2)),
    ],
)
def test_a_folder_per_breed(tmp_path, folders, each, breeds, counts):
    write_folders(tmp_path, folders, each)
    dataset = load(tmp_path)
    assert list(dataset.class_names) == breeds
    assert (len(dataset.train.labels), len(dataset.test.labels)) == counts


@pytest.mark.parametrize(("photographs", "tested"), [(2, 1), (10, 1), (100, 10), (156, 16)])
def test_a_tenth_is_held_out(photographs, tested):
    train, test = hold_out({"x": [Path(str(number)) for number in range(photographs)]})
    assert (len(train["x"]), len(test["x"])) == (photographs - tested, tested)
    assert not set(train["x"]) & set(test["x"])


@pytest.mark.parametrize(("folder", "order"), [("a", 1), ("b", -1)])
def test_the_held_out_tenth_is_pinned(folder, order):
    """Another choice would make results incomparable with earlier ones."""
    _, test = hold_out({"x": [Path(folder, f"{number:03}.jpg") for number in range(30)][::order]})
    assert [path.stem for path in test["x"]] == ["022", "003", "009"]


def test_whole_photographs_are_squeezed(tmp_path):
    path = tmp_path / "halves.png"
    picture = Image.new("RGB", (400, 100), (255, 0, 0))
    picture.paste((0, 0, 255), (200, 0, 400, 100))
    picture.save(path)
    small = decode(path, 28)
    assert small.shape == (28, 28, 3)
    assert (small[:, :10] == (255, 0, 0)).all()
    assert (small[:, 18:] == (0, 0, 255)).all()


def test_the_jpeg_decoder_scales_down_itself(tmp_path):
    path = photograph(tmp_path / "large.jpg", (10, 200, 30), (1600, 1200))
    resize = Image.Image.resize
    with patch.object(Image.Image, "resize", autospec=True, side_effect=resize) as resized:
        small = decode(path, 28)
    assert resized.call_args.args[0].size == (200, 150)  # an eighth, the most that it can
    assert abs(small.astype(int) - (10, 200, 30)).max() < 6


def test_gray_photographs_become_color(tmp_path):
    Image.new("L", (70, 70), 90).save(tmp_path / "gray.jpg")
    assert decode(tmp_path / "gray.jpg", 28).shape == (28, 28, 3)


STRANGE = "expected a plain file name and a breed"
LABELS = {
    b"id,breed\nbeagle99,beagle": "line 2: its image .*beagle99.jpg is missing",
    b"id,breed\n../labels,beagle": rf"line 2 has '\.\./labels' and 'beagle', {STRANGE}",
    b"id,breed\n..,beagle": STRANGE,
    b"id,breed\n.hidden,beagle": STRANGE,
    b"id,breed\n/etc/passwd,beagle": STRANGE,
    b"id,breed\n%s,beagle" % (b"x" * 101): f"line 2 has 'x{{100}}' and 'beagle', {STRANGE}",
    b"id,breed\nbeagle1,": f"line 2 has 'beagle1' and '', {STRANGE}",
    b"id,breed\nbeagle1": f"line 2 has 'beagle1' and '', {STRANGE}",
    b"id,breed\nbeagle1,\x1b[2J": rf"line 2 has 'beagle1' and '\\x1b\[2J', {STRANGE}",
    b"id,breed\nbeagle1,%s" % (b"b" * 101): f"line 2 has 'beagle1' and 'b{{100}}', {STRANGE}",
    b"id,breed\nbeagle1,beagle\n,beagle": f"line 3 has '' and 'beagle', {STRANGE}",
    b"id,breed\nbeagle1,beagle\nbeagle1,dingo": "line 3: beagle1 is listed under two breeds",
    b"id,race\nbeagle1,beagle\n": "it has the columns id, race, expected id and breed",
    b"": r"it has the columns \(none\), expected id and breed",
    b"id,breed\n\xff\xfe\n": "labels.csv: cannot be used .*utf-8.*; correct it, or fetch",
    b"id,breed\n": "found 0 breeds",
    b"id,breed\nbeagle1,beagle\nbeagle2,beagle\n": "found 1 breed that",
}


def check_error(folder, message, breeds=None):
    """Checks that the photographs are refused."""
    with pytest.raises(RequestError, match=message):
        load(folder, breeds)


@pytest.mark.parametrize("contents", LABELS)
def test_broken_labels(tmp_path, contents):
    (write_kaggle(tmp_path) / "labels.csv").write_bytes(contents)
    check_error(tmp_path, LABELS[contents])


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("labels.csv", (1 << 24) + 1, "16,777,217 bytes, expected"),
        ("train/collie5.jpg", 1 << 40, "1,099,511,627,776 bytes, expected"),
    ],
)
def test_a_file_far_too_large_is_not_read(tmp_path, name, size, message):
    os.truncate(write_kaggle(tmp_path) / name, size)
    check_error(tmp_path, f"{name}: .*has {message}")


def test_warnings_of_pillow_are_not_shown(tmp_path):
    path = tmp_path / "palette.png"
    picture = Image.new("P", (9, 9))
    picture.putpalette([1, 2, 3, 4, 5, 6])
    picture.putpixel((0, 0), 1)
    picture.save(path, transparency=b"\x00\x01")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(decode_splits(partial(decode, size=28), [[path]], [[path]], quiet=True)) == 2


def test_a_repeated_line_counts_once(tmp_path):
    labels = write_kaggle(tmp_path) / "labels.csv"
    labels.write_text(labels.read_text() + "beagle1,beagle\n")
    dataset = load(tmp_path)
    assert len(dataset.train.labels) + len(dataset.test.labels) == 30


def test_spaces_around_names_do_not_count(tmp_path):
    folder = write_kaggle(tmp_path)
    expected = load(folder)
    lines = (folder / "labels.csv").read_text().splitlines()
    spaced = [line.replace(",", (",", " ,", ", ", " , ")[n % 4]) for n, line in enumerate(lines)]
    spaces = ("", " ", "\t")
    spaced = [f"{spaces[n % 3]}{line}{spaces[n % 2]}" for n, line in enumerate(spaced)]
    (folder / "labels.csv").write_text("\n".join(spaced))
    assert spaced != lines
    check_equal(load(folder), expected)


def test_folders_that_differ_in_spaces_are_one_breed(tmp_path):
    write_folders(tmp_path, ["beagle", " beagle", "beagle ", "n02085620- beagle", "dingo"], each=2)
    dataset = load(tmp_path)
    assert dataset.class_names == ("beagle", "dingo")
    assert len(dataset.train.labels) + len(dataset.test.labels) == 10


def test_each_photograph_is_looked_up_once(tmp_path):
    labels = write_kaggle(tmp_path) / "labels.csv"
    labels.write_text(labels.read_text() + "beagle1,beagle\n" * 1_000)
    with patch.object(Path, "exists", autospec=True, side_effect=Path.exists) as looked_up:
        find_photographs(tmp_path)
    assert looked_up.call_count <= 31


def test_no_layout_at_all(tmp_path):
    check_error(tmp_path, r"found 0 breeds .* expected labels.csv")
    check_error(tmp_path / "nowhere", r"looked for .*nowhere")


def test_breeds_that_cannot_be_used(tmp_path):
    write_folders(tmp_path, ["beagle"], each=1)
    write_folders(tmp_path, ["dingo", "collie"], each=2)
    check_error(tmp_path, "beagle has 1 photograph, at least 2")
    check_error(tmp_path, "no breed 'pug'; there are beagle, collie, dingo", ["pug", "beagle"])


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"this is no image", "it is no JPEG or PNG image"),
        (b"", "it is no JPEG or PNG image"),
        (png_that_claims(50_000, 50_000), "Image size .*"),
        (png_that_claims(11_000, 9_000), "Image size .*"),
        (png_that_claims(60, 60), ".+"),
        (None, ".*truncated.*"),
    ],
)
def test_damaged_photographs(tmp_path, contents, message):
    broken = write_kaggle(tmp_path) / "train" / "collie5.jpg"
    if contents is None:  # a truncated photograph
        noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
        Image.fromarray(noise).save(broken)
        contents = broken.read_bytes()[:-2_000]
    broken.write_bytes(contents)
    check_error(tmp_path, rf"collie5.jpg: cannot be used \({message}\); replace")
    assert not (tmp_path / "dogs-28px.npz").exists()
