"""Omniglot's zip files and folders, sound and damaged."""

import io
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from data import omniglot
from errors import RequestError
from tests.support.command import ROOT
from tests.support.datasets import drawing, png_that_claims, write_omniglot
from tests.support.serving import everything_under


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    """Writes a zip file of names and contents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


def write_files(folder, members):
    """Writes files of names and contents."""
    for name, contents in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)


def character(prefix, first=0, count=20):
    """Returns the files of a character; a drawing's gray value is its place by name."""
    places = range(first, first + count)
    return {f"{prefix}/0394_{place + 1:02}.png": drawing(place) for place in places}


def read_all(data_dir):
    """Finds and decodes Omniglot at 28×28 pixels."""
    return omniglot.find(data_dir, 28, quiet=True).read()


def error_of(load, *arguments):
    """Returns the one-line error of loading data that cannot be used."""
    with pytest.raises(RequestError) as error:
        load(*arguments)
    line = str(error.value)
    assert "\n" not in line
    return line


def test_the_official_zip_files(tmp_path):
    write_omniglot(tmp_path / "omniglot", {"Latin": 2, "Greek": 3})
    dataset = read_all(tmp_path)
    assert dataset.class_names == (
        *(f"Greek/character0{number}" for number in (1, 2, 3)),
        *(f"Latin/character0{number}" for number in (1, 2)),
    )
    assert dataset.origin == f"Omniglot from {tmp_path / 'omniglot'}"
    for split, each in ((dataset.train, 16), (dataset.test, 4)):
        assert split.images.shape == (5 * each, 28, 28, 1)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int32)
        assert np.bincount(split.labels).tolist() == [each] * 5
        np.testing.assert_array_equal(split.images[:, 3, 4, 0], 10 * split.labels)
    # Nothing was unpacked.
    files = ["omniglot", "omniglot/images_background.zip", "omniglot/images_evaluation.zip"]
    assert everything_under(tmp_path) == files


def test_the_last_four_by_name_are_for_testing(tmp_path):
    members = character("images_background/Greek/character01")
    write_zip(tmp_path / "omniglot" / "a.zip", dict(reversed(members.items())))
    dataset = omniglot.find(tmp_path, 20, quiet=True).read()
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(16))
    assert dataset.test.images[:, 0, 0, 0].tolist() == [16, 17, 18, 19]


def test_black_on_white_and_squeezed(tmp_path):
    picture = Image.new("1", (100, 50), 1)  # only black and white, like the real ones
    picture.paste(0, (50, 0, 100, 50))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    members = dict.fromkeys(character("Greek/character01"), buffer.getvalue())
    write_zip(tmp_path / "omniglot" / "a.zip", members)
    images = omniglot.find(tmp_path, 20, quiet=True).read().test.images
    assert (images[:, :, :7] == 255).all()
    assert (images[:, :, 13:] == 0).all()


def test_a_drawing_in_several_places_counts_once(tmp_path):
    folder = tmp_path / "omniglot"
    greek, tagalog = "Greek/character01", "Tagalog/character07"
    write_zip(folder / "small1.zip", character(f"small1/{greek}"))
    write_zip(folder / "small2.zip", character(f"small2/{greek}") | character(f"small2/{tagalog}"))
    write_files(folder, {f"{greek}/0394_03.png": drawing(2)})
    dataset = read_all(tmp_path)
    assert dataset.class_names == (greek, tagalog)
    assert (len(dataset.train.labels), len(dataset.test.labels)) == (32, 8)


@pytest.mark.parametrize("inside", ["", "images_background", "python/images_background"])
def test_unpacked_folders(tmp_path, inside):
    write_files(tmp_path / "omniglot" / inside, character("Greek/character01"))
    assert omniglot.find_alphabets(tmp_path) == {"Greek": ["character01"]}
    assert read_all(tmp_path).train.images[:, 0, 0, 0].tolist() == list(range(16))


def test_a_character_in_two_zip_files(tmp_path):
    write_zip(tmp_path / "omniglot" / "a.zip", character("Greek/character01", 0, 7))
    write_zip(tmp_path / "omniglot" / "b.zip", character("Greek/character01", 7, 5))
    dataset = read_all(tmp_path)
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(8))
    assert dataset.test.images[:, 0, 0, 0].tolist() == [8, 9, 10, 11]


def test_other_files_are_ignored(tmp_path):
    alphabet = "Ojibwe_(Canadian_Aboriginal_Syllabics)"
    others = {
        "__MACOSX/images/Greek/character01/0394_01.png": b"",
        f"images/{alphabet}/character01/._0394_01.png": b"resource fork",
        "images/Greek/readme.txt": b"text",
        "images/Greek/sketch/0001_01.png": b"",
        "character01/0001_01.png": b"",
        "./character01/0001_01.png": b"",
    }
    members = character(f"images/{alphabet}/character01") | others
    write_zip(tmp_path / "omniglot" / "a.zip", members)
    assert omniglot.find_alphabets(tmp_path) == {alphabet: ["character01"]}
    assert len(read_all(tmp_path).train.labels) == 16


def test_alphabets_are_found_without_decoding_and_without_tensorflow(tmp_path):
    write_omniglot(tmp_path / "omniglot", {"Latin": 11, "Greek": 2, "Ashokan": 1}, drawers=1)
    program = (
        "import pathlib, sys, PIL.Image; from data import omniglot; PIL.Image.open = None; "
        f"alphabets = omniglot.find_alphabets(pathlib.Path({str(tmp_path)!r})); "
        "print([*alphabets], alphabets['Latin'][9:], {'keras', 'tensorflow'} & set(sys.modules))"
    )
    output = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert output == "['Ashokan', 'Greek', 'Latin'] ['character10', 'character11'] set()\n"


@pytest.mark.parametrize("there", ["nothing", "a file", "a folder"])
def test_nothing_there(tmp_path, there):
    folder = tmp_path / "omniglot"
    if there == "a file":
        folder.write_bytes(b"")
    elif there == "a folder":
        write_zip(folder / "a.zip", {"other/file.txt": b"1"})
    for load in (omniglot.find_alphabets, read_all):
        assert error_of(load, tmp_path).startswith("Omniglot not found: looked for zip files or ")


@pytest.mark.parametrize(
    "name",
    [
        "../outside.png",
        "images/../../Greek/character01/0001_01.png",
        "images/..",
        "/etc/Greek/character01/0001_01.png",
        "C:/Greek/character01/0001_01.png",
        "images\\Greek\\character01\\0001_01.png",
        "..\\outside\n.png",
    ],
)
def test_an_unsafe_zip_file(tmp_path, name):
    path = tmp_path / "omniglot" / "a.zip"
    write_zip(path, character("Greek/character01") | {name: b""})
    outside = f"it holds {name!r}, which would lie outside its folder"
    line = error_of(omniglot.find_alphabets, tmp_path)
    assert line == f"{path}: cannot be used ({outside}); fetch it again"


def flip(path, mark, distance):
    """Flips a byte behind a mark."""
    contents = bytearray(path.read_bytes())
    contents[contents.index(mark) + distance] ^= 0xFF
    path.write_bytes(contents)


@pytest.mark.parametrize(
    ("damage", "member", "reason"),
    [
        (lambda path: os.truncate(path, path.stat().st_size // 2), "", ".+"),
        (lambda path: flip(path, b"PK\x01\x02", 2), "", ".+"),
        (lambda path: path.write_bytes(b""), "", ".+"),
        (lambda path: path.write_bytes(b"no zip"), "", ".+"),
        # It takes no room on the disk.
        (
            lambda path: os.truncate(path, 1 << 40),
            "",
            "it has 1,099,511,627,776 bytes, .* 268,435,456",
        ),
        (lambda path: flip(path, b"IDAT", 8), ", .*/0394_01.png", "Bad CRC-32.*"),
        (
            lambda path: write_zip(path, character("Greek/character01"), zipfile.ZIP_LZMA),
            ", Greek/character01/0394_.*",
            "its compression is not one that Omniglot uses",
        ),
    ],
)
def test_a_damaged_zip_file(tmp_path, damage, member, reason):
    path = tmp_path / "omniglot" / "a.zip"
    write_zip(path, character("Greek/character01"))
    damage(path)
    for load in (read_all,) if member else (read_all, omniglot.find_alphabets):
        line = error_of(load, tmp_path)
        assert re.fullmatch(rf"{path}{member}: cannot be used \({reason}\); fetch it again", line)


BROKEN = {
    "text": (b"this is no image", "it is no PNG image"),
    "empty": (b"", "it is no PNG image"),
    "cut": (drawing(0)[:-30], ".+"),
    "wide": (drawing(0, (1_001, 5)), "it has 1,001×5 pixels, expected at most 1,000×1,000"),
    "high": (drawing(0, (5, 1_001)), "it has 5×1,001 pixels, expected at most 1,000×1,000"),
    "long": (b"\0" * 1_048_577, "it has 1,048,577 bytes, expected at most 1,048,576"),
    "bomb": (png_that_claims(10_000, 10_000), "Image size .+"),
    "lie": (png_that_claims(300, 300), ".+"),
}


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize(("contents", "message"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_drawing(tmp_path, contents, message, unpacked):
    folder, name = tmp_path / "omniglot", "Greek/character01/0394_07.png"
    members = character("Greek/character01") | {name: contents}
    if unpacked:
        write_files(folder, members)
    else:
        write_zip(folder / "a.zip", members)
    place = folder / name if unpacked else f"{folder / 'a.zip'}, {name}"
    line = error_of(read_all, tmp_path)
    assert re.fullmatch(rf"{place}: cannot be used \({message}\); fetch it again", line), line


def test_a_character_with_too_few_drawings(tmp_path):
    folder = tmp_path / "omniglot"
    few = character("Greek/character02", count=4)
    write_zip(folder / "a.zip", character("Greek/character01") | few)
    assert error_of(read_all, tmp_path) == (
        f"{folder}: Greek/character02 has 4 drawings, expected at least 5 (4 are for testing); "
        "fetch Omniglot again"
    )
    write_zip(folder / "b.zip", {"Greek/character02/0394_05.png": drawing(4)})
    dataset = read_all(tmp_path)
    assert np.bincount(dataset.train.labels).tolist() == [16, 1]


def test_progress_is_one_line_without_a_terminal(tmp_path, capsys):
    write_omniglot(tmp_path / "omniglot")
    omniglot.find_alphabets(tmp_path)
    assert capsys.readouterr().out == ""
    omniglot.find(tmp_path, 28).read()
    assert capsys.readouterr().out == "Decoding 100 pictures\n"
