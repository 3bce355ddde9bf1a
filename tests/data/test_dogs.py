"""Photographs in every layout, their split, and their decoding, sound and damaged."""

import os
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import dogs
from data.breeds import find_photographs, hold_out
from data.dogs import decode
from data.pictures import decode_splits
from errors import RequestError
from tests.support.datasets import BREEDS, photograph, png_that_claims, write_kaggle


def write_folders(folder, names, each=10):
    for index, name in enumerate(names):
        for number in range(each):
            photograph(folder / name / f"{name}{number}.JPEG", (80 * index % 256, 10, 200))
    return folder


def load(folder, breeds=None):
    return dogs.find(folder, 28, breeds, quiet=True).read()


def test_kaggle_layout(tmp_path):
    dataset = load(write_kaggle(tmp_path))
    assert dataset.class_names == BREEDS
    assert dataset.train.images.shape == (27, 28, 28, 3)
    assert dataset.test.images.shape == (3, 28, 28, 3)
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int32
    assert list(dataset.test.labels) == [0, 1, 2]
    for split in (dataset.train, dataset.test):
        red = split.images[:, 14, 14, 0].astype(int)
        assert abs(red - 80 * split.labels).max() < 4  # JPEG is not exact


def test_a_folder_per_breed(tmp_path):
    write_folders(tmp_path, ["n02085620-Chihuahua", "beagle"])
    dataset = load(tmp_path)
    assert dataset.class_names == ("beagle", "Chihuahua")
    assert (len(dataset.train.labels), len(dataset.test.labels)) == (18, 2)


def test_imagewoof_layout_keeps_its_own_test_split(tmp_path):
    write_folders(tmp_path / "train", ["n02115641", "n02088364"], each=4)
    write_folders(tmp_path / "val", ["n02115641", "n02088364"], each=3)
    dataset = load(tmp_path)
    assert dataset.class_names == ("beagle", "dingo")
    assert (len(dataset.train.labels), len(dataset.test.labels)) == (8, 6)


def test_the_first_ten_of_more_breeds(tmp_path):
    names = [f"breed{letter}" for letter in "lkjihgfedcba"]
    dataset = load(write_folders(tmp_path, names, each=2))
    assert dataset.class_names == tuple(sorted(names)[:10])


def test_other_breeds_by_name(tmp_path):
    write_kaggle(tmp_path)
    dataset = load(tmp_path, ["dingo", "beagle"])
    assert dataset.class_names == ("dingo", "beagle")
    red = dataset.test.images[:, 14, 14, 0].astype(int)
    assert abs(red - [160, 0]).max() < 4


def test_a_breed_that_is_not_there(tmp_path):
    write_kaggle(tmp_path)
    with pytest.raises(RequestError, match=r"no breed 'pug'; there are beagle, collie, dingo"):
        load(tmp_path, ["pug", "beagle"])


def test_the_same_tenth_is_held_out_always(tmp_path):
    train, test = find_photographs(write_kaggle(tmp_path / "a", each=30))
    for breed in BREEDS:
        assert (len(train[breed]), len(test[breed])) == (27, 3)
        assert not set(train[breed]) & set(test[breed])
    # In any folder and any order.
    paths = [path.name for breed in (train, test) for path in breed["beagle"]]
    moved = {"beagle": [tmp_path / "b" / name for name in sorted(paths)]}
    _, held_out = hold_out(moved)
    assert [p.name for p in held_out["beagle"]] == [p.name for p in test["beagle"]]


@pytest.mark.parametrize(("photographs", "tested"), [(2, 1), (10, 1), (100, 10), (156, 16)])
def test_a_tenth_is_held_out(photographs, tested):
    train, test = hold_out({"x": [Path(str(number)) for number in range(photographs)]})
    assert (len(train["x"]), len(test["x"])) == (photographs - tested, tested)


def test_the_held_out_tenth_is_pinned():
    """Another choice would make results incomparable with earlier ones."""
    _, test = hold_out({"x": [Path(f"{number:03}.jpg") for number in range(30)]})
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


def test_the_jpeg_decoder_scales_down_itself(tmp_path, monkeypatch):
    path = photograph(tmp_path / "large.jpg", (10, 200, 30), (1600, 1200))
    sizes = []
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image,
        "resize",
        lambda self, *a, **k: sizes.append(self.size) or resize(self, *a, **k),
    )
    small = decode(path, 28)
    assert sizes == [(200, 150)]  # an eighth, the most that a JPEG decoder can
    assert abs(small.astype(int) - (10, 200, 30)).max() < 6


def test_gray_photographs_become_color(tmp_path):
    Image.new("L", (70, 70), 90).save(tmp_path / "gray.jpg")
    assert decode(tmp_path / "gray.jpg", 28).shape == (28, 28, 3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("beagle99,beagle", "line 32: its image .*beagle99.jpg is missing"),
        ("../labels,beagle", r"line 32: the id '\.\./labels' is not a plain file name"),
        ("..,beagle", "is not a plain file name"),
        (".hidden,beagle", "is not a plain file name"),
        ("/etc/passwd,beagle", "is not a plain file name"),
        (f"{'beagle' * 20},beagle", r"line 32: the id '\w{100}' is not a plain file name"),
        ("beagle1,", "line 32: the id or the breed is missing"),
        ("beagle1,\x1b[2J", r"line 32: the breed '\\x1b\[2J' is not a plain name"),
        (f"beagle1,{'b' * 101}", "line 32: the breed 'b{100}' is not a plain name"),
        (",beagle", "line 32: the id or the breed is missing"),
        ("beagle1,dingo", "line 32: beagle1 is listed under two breeds"),
    ],
)
def test_broken_rows_of_labels(tmp_path, row, message):
    labels = write_kaggle(tmp_path) / "labels.csv"
    labels.write_text(labels.read_text() + row + "\n")
    with pytest.raises(RequestError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"id,race\nbeagle1,beagle\n", "it has the columns id, race, expected id and breed"),
        (b"", r"it has the columns \(none\), expected id and breed"),
        (b"id,breed\n\xff\xfe\n", "labels.csv: cannot be used .*utf-8.*; fetch it again"),
        (b"id,breed\n", "found 0 breeds"),
        (b"id,breed\nbeagle1,beagle\nbeagle2,beagle\n", "found 1 breed that"),
    ],
)
def test_broken_labels(tmp_path, contents, message):
    (write_kaggle(tmp_path) / "labels.csv").write_bytes(contents)
    with pytest.raises(RequestError, match=message):
        load(tmp_path)


def test_labels_far_too_large_are_not_read(tmp_path):
    os.truncate(write_kaggle(tmp_path) / "labels.csv", (1 << 24) + 1)
    with pytest.raises(RequestError, match=r"labels.csv: .*has 16,777,217 bytes, expected"):
        load(tmp_path)


def test_a_photograph_far_too_large_is_not_read(tmp_path):
    os.truncate(write_kaggle(tmp_path) / "train" / "collie5.jpg", 1 << 40)
    with pytest.raises(RequestError, match=r"collie5.jpg: .*1,099,511,627,776 bytes, expected"):
        load(tmp_path)


def test_hidden_folders_are_no_breeds(tmp_path):
    """Another process may be writing its cache in one."""
    write_folders(tmp_path, ["beagle", "dingo", ".cache-x"], each=2)
    assert load(tmp_path).class_names == ("beagle", "dingo")


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


def test_no_layout_at_all(tmp_path):
    with pytest.raises(RequestError, match=r"found 0 breeds .* expected labels.csv"):
        load(tmp_path)
    with pytest.raises(RequestError, match=r"looked for .*nowhere"):
        load(tmp_path / "nowhere")


def test_a_breed_of_one_photograph(tmp_path):
    write_folders(tmp_path, ["beagle"], each=1)
    write_folders(tmp_path, ["dingo", "pug"], each=2)
    with pytest.raises(RequestError, match="beagle has 1 photograph, at least 2"):
        load(tmp_path)


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
    with pytest.raises(RequestError, match=rf"collie5.jpg: cannot be used \({message}\); replace"):
        load(tmp_path)
    assert not (tmp_path / "dogs-28px.npz").exists()
