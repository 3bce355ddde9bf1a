"""Files that are no regular ones, and names of any bytes, among the data."""

import os
import re

import pytest

from data.catalog import CATALOG
from tests.support.datasets import drawing, load_tiny, photograph
from tests.support.fuzzing import outcome

# A file of each kind that is read.
KINDS = {
    "an image": ("mnist", "mnist/train-images-idx3-ubyte"),
    "a label": ("fashion-mnist", "fashion-mnist/t10k-labels-idx1-ubyte"),
    "CIFAR-10": ("cifar10", "cifar-10-batches-bin/data_batch_3.bin"),
    "CIFAR-100": ("cifar100", "cifar-100-binary/test.bin"),
    "labels.csv": ("dogs", "dogs/labels.csv"),
    "a photograph": ("dogs", "dogs/train/collie5.jpg"),
    "a zip file": ("omniglot", "omniglot/images_background.zip"),
    "a drawing": ("omniglot", "omniglot/Greek/character01/0001_01.png"),
}


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize(("name", "file"), KINDS.values(), ids=KINDS)
def test_only_regular_files_are_opened(every_data_dir, name, file, put):
    path = every_data_dir / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    put(path)
    _, text = outcome(lambda: load_tiny([name], every_data_dir))
    assert re.search(rf"{path}: cannot be used \((it is no regular file|Is a directory)\);", text)


# Names of files and folders, and whether a class may have them.
NAMES = {
    b"\xff": False,
    b"caf\xe9": False,
    "\ud800".encode("utf-8", "surrogatepass"): False,
    b"\x1b[2J\x1b[31mred": False,
    b"a\nb": False,
    b"a\tb": False,
    b"\x7f": False,
    "dog\u202egod".encode(): False,
    "dog\u200f".encode(): False,
    "a\u2028b".encode(): False,
    b"x" * 240: False,
    "犬".encode() * 80: False,
    b"x" * 100: True,
    "犬".encode() * 33: True,
    b"<script>alert(1)<": True,
    b"[a](http:)![b](c)|`": True,
    b"$HOME;*?": True,
    b"-n": True,
    "Größe".encode(): True,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_classes_are_printable(tmp_path, name):
    photographs, drawings = tmp_path / "dogs", tmp_path / "omniglot"
    for breed in ("beagle", os.fsdecode(name)):
        for number in range(2):
            photograph(photographs / breed / f"{number}.jpg", (9, 9, 9))
        character = drawings / breed / "character01"
        character.mkdir(parents=True)
        for number in range(5):
            (character / f"{number}.png").write_bytes(drawing(9))
    for dataset, suffix in (("dogs", ""), ("omniglot", "/character01")):
        loaded, text = outcome(lambda dataset=dataset: load_tiny([dataset], tmp_path)[dataset])
        if NAMES[name]:
            expected = {f"beagle{suffix}", name.decode() + suffix}
            assert (text, set(loaded.class_names)) == ("", expected)
        else:
            assert "expected printable text of up to 100 bytes; rename it" in text
            assert text.rstrip("\n").isprintable()


def test_photographs_and_drawings_may_have_any_name(tmp_path):
    for number, name in enumerate(NAMES):
        image = os.fsdecode(name)
        photograph(tmp_path / "dogs" / "ab"[number % 2] / f"{image}.jpg", (9, 9, 9))
    character = tmp_path / "omniglot" / "Greek" / "character01"
    character.mkdir(parents=True)
    for name in NAMES:
        (character / os.fsdecode(b"0" + name + b".png")).write_bytes(drawing(9))
    for _ in range(2):  # the second time from the cache
        loaded, text = outcome(lambda: load_tiny(["dogs", "omniglot"], tmp_path))
        assert text == ""
        assert len(loaded["dogs"].train.labels) + len(loaded["dogs"].test.labels) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_of_the_data_may_have_any_name(every_data_dir, name):
    folder = every_data_dir.rename(every_data_dir.parent / os.fsdecode(name))
    for _ in range(2):
        loaded, text = outcome(lambda: load_tiny(CATALOG, folder))
        assert (list(loaded), text) == (list(CATALOG), "")
