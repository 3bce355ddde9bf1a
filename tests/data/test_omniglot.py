"""Omniglot's zip files and folders, real in form and tiny in size, sound and broken."""

import io
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from data import omniglot
from errors import RequestError
from tests.support.command import ROOT
from tests.support.datasets import drawing, write_omniglot


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    """A zip file of names and their contents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


def character(prefix, first=0, count=20):
    """The members of a character; the grey of a drawing is its place by name."""
    places = range(first, first + count)
    return {f"{prefix}/0394_{place + 1:02}.png": drawing(place) for place in places}


def read_all(data_dir):
    """Omniglot in the folder, found and decoded."""
    return omniglot.find(data_dir, 28, quiet=True).read()


def one_line_of(load, *arguments):
    """What is said where the data cannot be used."""
    with pytest.raises(RequestError) as error:
        load(*arguments)
    line = str(error.value)
    assert "\n" not in line
    return line


def test_the_official_zip_files(tmp_path):
    write_omniglot(tmp_path / "omniglot", {"Latin": 2, "Greek": 3})
    assert sorted(path.name for path in (tmp_path / "omniglot").iterdir()) == [
        "images_background.zip",
        "images_evaluation.zip",
    ]
    dataset = omniglot.find(tmp_path, 28, quiet=True).read()
    assert dataset.class_names == (
        "Greek/character01",
        "Greek/character02",
        "Greek/character03",
        "Latin/character01",
        "Latin/character02",
    )
    assert dataset.origin == f"Omniglot from {tmp_path / 'omniglot'}"
    for split, each in ((dataset.train, 16), (dataset.test, 4)):
        assert split.images.shape == (5 * each, 28, 28, 1)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int32
        assert np.bincount(split.labels).tolist() == [each] * 5
        np.testing.assert_array_equal(split.images[:, 3, 4, 0], 10 * split.labels)
    # Nothing was unpacked.
    assert len(list(tmp_path.rglob("*"))) == 3


def test_the_last_four_by_name_are_for_testing(tmp_path):
    members = character("images_background/Greek/character01")
    write_zip(tmp_path / "omniglot" / "a.zip", dict(reversed(members.items())))
    dataset = omniglot.find(tmp_path, 20, quiet=True).read()
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(16))
    assert dataset.test.images[:, 0, 0, 0].tolist() == [16, 17, 18, 19]


def test_black_on_white_and_squeezed(tmp_path):
    picture = Image.new("1", (100, 50), 1)  # of black and white alone, as the real ones are
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
    write_zip(folder / "small1.zip", character("small1/Greek/character01"))
    write_zip(
        folder / "small2.zip",
        character("small2/Greek/character01") | character("small2/Tagalog/character07"),
    )
    path = folder / "Greek" / "character01" / "0394_03.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(drawing(2))
    dataset = omniglot.find(tmp_path, 28, quiet=True).read()
    assert dataset.class_names == ("Greek/character01", "Tagalog/character07")
    assert (len(dataset.train.labels), len(dataset.test.labels)) == (32, 8)


@pytest.mark.parametrize("inside", ["", "images_background", "python/images_background"])
def test_unpacked_folders(tmp_path, inside):
    for name, contents in character("Greek/character01").items():
        path = tmp_path / "omniglot" / inside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    assert omniglot.find_alphabets(tmp_path) == {"Greek": ["character01"]}
    dataset = omniglot.find(tmp_path, 28, quiet=True).read()
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(16))


def test_a_character_over_two_zip_files(tmp_path):
    write_zip(tmp_path / "omniglot" / "a.zip", character("Greek/character01", 0, 7))
    write_zip(tmp_path / "omniglot" / "b.zip", character("Greek/character01", 7, 5))
    dataset = omniglot.find(tmp_path, 28, quiet=True).read()
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(8))
    assert dataset.test.images[:, 0, 0, 0].tolist() == [8, 9, 10, 11]


def test_what_is_no_drawing_is_left_alone(tmp_path):
    members = character("images/Ojibwe_(Canadian_Aboriginal_Syllabics)/character01")
    name = "images/Ojibwe_(Canadian_Aboriginal_Syllabics)/character01/._0394_01.png"
    others = {
        "__MACOSX/images/Greek/character01/0394_01.png": b"",
        name: b"resource fork",
        "images/Greek/readme.txt": b"text",
        "images/Greek/sketch/0001_01.png": b"",
        "character01/0001_01.png": b"",
        "./character01/0001_01.png": b"",
    }
    write_zip(tmp_path / "omniglot" / "a.zip", members | others)
    assert omniglot.find_alphabets(tmp_path) == {
        "Ojibwe_(Canadian_Aboriginal_Syllabics)": ["character01"]
    }
    assert len(omniglot.find(tmp_path, 28, quiet=True).read().train.labels) == 16


def test_alphabets_are_found_without_decoding(tmp_path, monkeypatch):
    write_omniglot(tmp_path / "omniglot", {"Latin": 11, "Greek": 2, "Ashokan": 1}, drawers=1)
    monkeypatch.setattr("PIL.Image.open", None)  # would fail if it were called
    alphabets = omniglot.find_alphabets(tmp_path)
    assert list(alphabets) == ["Ashokan", "Greek", "Latin"]
    assert alphabets["Latin"] == [f"character{number:02}" for number in range(1, 12)]


def test_alphabets_are_found_without_tensorflow(tmp_path):
    write_omniglot(tmp_path / "omniglot", drawers=1)
    program = (
        "import pathlib, sys; from data import omniglot; "
        f"print(len(omniglot.find_alphabets(pathlib.Path({str(tmp_path)!r})))); "
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    output = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert output == "2\n[]\n"


@pytest.mark.parametrize("there", ["nothing", "a file", "a folder"])
def test_nothing_there(tmp_path, there):
    folder = tmp_path / "omniglot"
    if there == "a file":
        folder.write_bytes(b"")
    elif there == "a folder":
        write_zip(folder / "a.zip", {"other/file.txt": b"1"})
    for load in (omniglot.find_alphabets, lambda path: omniglot.find(path, 28).read()):
        assert one_line_of(load, tmp_path) == (
            f"Omniglot not found: looked in {folder} for zip files or folders that hold "
            "<alphabet>/characterNN/<name>.png; name the folder that holds omniglot/ with "
            "--data-dir, or leave --data-dir out to download it"
        )


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
    line = one_line_of(omniglot.find_alphabets, tmp_path)
    assert line == (
        f"{path}: holds {name!r}, which would lie outside its folder; remove the file and fetch "
        "it again"
    )


def cut(contents):
    return contents[: len(contents) // 2]


def flipped_directory(contents):
    broken = bytearray(contents)
    broken[contents.index(b"PK\x01\x02") + 2] ^= 0xFF
    return bytes(broken)


@pytest.mark.parametrize("damage", [cut, flipped_directory, lambda _: b"", lambda _: b"no zip"])
def test_a_damaged_zip_file(tmp_path, damage):
    path = tmp_path / "omniglot" / "a.zip"
    write_zip(path, character("Greek/character01"))
    path.write_bytes(damage(path.read_bytes()))
    line = one_line_of(omniglot.find_alphabets, tmp_path)
    assert re.fullmatch(f"{path}: no zip file, or damaged \\(.+\\); fetch it again", line)


def test_a_zip_file_far_too_large_is_not_read(tmp_path):
    path = tmp_path / "omniglot" / "a.zip"
    write_zip(path, character("Greek/character01"))
    os.truncate(path, 1 << 40)  # it takes no room on the disk
    line = one_line_of(omniglot.find_alphabets, tmp_path)
    assert "has 1,099,511,627,776 bytes, expected 268,435,456 at most" in line


def test_a_drawing_compressed_in_another_way(tmp_path):
    path = tmp_path / "omniglot" / "a.zip"
    write_zip(path, character("Greek/character01"), zipfile.ZIP_LZMA)
    line = one_line_of(read_all, tmp_path)
    assert line.startswith(f"{path}, Greek/character01/0394_")
    assert ": damaged (compressed in a way that is none of Omniglot's); fetch it again" in line


def test_a_member_whose_contents_have_changed(tmp_path):
    path = tmp_path / "omniglot" / "a.zip"
    write_zip(path, character("Greek/character01"))
    contents = bytearray(path.read_bytes())
    contents[contents.index(b"IDAT") + 8] ^= 0xFF
    path.write_bytes(contents)
    line = one_line_of(read_all, tmp_path)
    place = f"{path}, Greek/character01/0394_01.png"
    assert re.fullmatch(f"{place}: damaged \\(Bad CRC-32.*\\); fetch it again", line)


def drawing_that_claims(width, height):
    """A drawing whose header states another size."""
    header = b"IHDR" + struct.pack(">II", width, height) + drawing(0)[24:29]
    return drawing(0)[:12] + header + struct.pack(">I", zlib.crc32(header)) + drawing(0)[33:]


BROKEN = {
    "text": (b"this is no image", "no PNG image"),
    "empty": (b"", "no PNG image"),
    "cut": (drawing(0)[:-30], r"cannot be decoded \(.+\)"),
    "wide": (drawing(0, (1_001, 5)), "has 1,001×5 pixels, expected at most 1,000×1,000"),
    "high": (drawing(0, (5, 1_001)), "has 5×1,001 pixels, expected at most 1,000×1,000"),
    "long": (b"\0" * 1_048_577, "has 1,048,577 bytes, expected 1,048,576 at most"),
    "bomb": (drawing_that_claims(10_000, 10_000), r"cannot be decoded \(Image size .+\)"),
    "lie": (drawing_that_claims(300, 300), r"cannot be decoded \(.+\)"),
}


@pytest.mark.parametrize(("contents", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_drawing_in_a_zip_file(tmp_path, contents, message):
    path, name = tmp_path / "omniglot" / "a.zip", "Greek/character01/0394_07.png"
    write_zip(path, character("Greek/character01") | {name: contents})
    line = one_line_of(read_all, tmp_path)
    assert re.fullmatch(f"{path}, {name}: {message}; fetch it again", line), line


@pytest.mark.parametrize(("contents", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_drawing_in_a_folder(tmp_path, contents, message):
    name = "Greek/character01/0394_07.png"
    for member, sound in character("Greek/character01").items():
        path = tmp_path / "omniglot" / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents if member == name else sound)
    line = one_line_of(read_all, tmp_path)
    place = tmp_path / "omniglot" / name
    assert re.fullmatch(f"{place}: {message}; fetch it again", line), line


def test_a_character_with_too_few_drawings(tmp_path):
    folder = tmp_path / "omniglot"
    few = character("Greek/character02", count=4)
    write_zip(folder / "a.zip", character("Greek/character01") | few)
    assert one_line_of(read_all, tmp_path) == (
        f"{folder}: Greek/character02 has 4 drawings, expected at least 5 (4 are for testing); "
        "fetch Omniglot again"
    )
    write_zip(folder / "b.zip", {"Greek/character02/0394_05.png": drawing(4)})
    dataset = omniglot.find(tmp_path, 28, quiet=True).read()
    assert np.bincount(dataset.train.labels).tolist() == [16, 1]


def test_it_says_so_in_one_line(tmp_path, capsys):
    write_omniglot(tmp_path / "omniglot")
    omniglot.find_alphabets(tmp_path)
    assert capsys.readouterr().out == ""
    omniglot.find(tmp_path, 28).read()
    assert capsys.readouterr().out == "Decoding 100 pictures\n"
