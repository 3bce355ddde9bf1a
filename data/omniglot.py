"""Omniglot: handwritten characters of many alphabets, each drawn once by each of 20 people.

Lake, Salakhutdinov, Tenenbaum: Human-level concept learning, 2015. The drawings are read from zip
files and folders that have paths `<alphabet>/characterNN/<name>.png` at any depth.
"""

import io
import re
import zipfile
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image

from data.catalog import CATALOG
from data.dataset import Dataset, PendingDataset
from data.download import RemoteFile, dataset_folder, download, not_found
from data.files import check_size, class_name, open_bounded, read_errors
from data.pictures import decode_splits, decoded, open_image
from errors import RequestError

FACTS = CATALOG["omniglot"]
URL = "https://github.com/brendenlake/omniglot/raw/master/python/"
# The most bytes (both together have 16 MB) and the md5 of each of its files.
CONTENTS = {
    "images_background.zip": (10_000_000, "68d2efa1b9178cc56df9314c21c6e718"),
    "images_evaluation.zip": (7_000_000, "6b91aef0f799c5bb55b94e3f2daec811"),
}
LAYOUT = "zip files or folders with <alphabet>/characterNN/<name>.png"
# Hidden folders are no alphabets.
DRAWING = re.compile(r"(?:.*/)?([^/.][^/]*)/(character\d+)/(\w[^/\s]*\.png)", re.DOTALL)
# The official ones. Other compressions may need gigabytes to unpack a small file.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The last drawings of each character, by file name, are the test set.
TEST_DRAWINGS = 4
# Far above either of the zip files (9.5 MB).
MOST_ZIPPED_BYTES = 1 << 28
# Far above any such drawing (300 bytes, 105×105 pixels).
MOST_BYTES = 1 << 20
MOST_PIXELS = 1_000


class Drawing(NamedTuple):
    """One drawing and its place on disk."""

    file: Path  # its own, or a zip file that holds it
    member: str | None  # its name in the zip file

    def __str__(self) -> str:
        return str(self.file) if self.member is None else f"{self.file}, {self.member}"


# The drawings of each (alphabet, character), all in order.
Characters = dict[tuple[str, str], list[Drawing]]


def find_alphabets(data_dir: Path | None, quiet: bool = False) -> dict[str, list[str]]:
    """Finds the alphabets in `data_dir/omniglot` and the characters of each, both by name.

    With None it looks in the cache folder and downloads missing files. Nothing is decoded.

    Raises:
        RequestError: there are none, one's name is not printable or too long, a zip file is damaged
            or unsafe, or the download failed.
    """
    alphabets: dict[str, list[str]] = {}
    for alphabet, character in find_characters(data_dir, quiet):
        alphabets.setdefault(alphabet, []).append(character)
    return alphabets


def find(data_dir: Path | None, image_size: int, quiet: bool = False) -> PendingDataset:
    """Finds all drawings in `data_dir/omniglot`; with None in the cache folder, downloaded first.

    The dataset's images are [N, image_size, image_size, 1] uint8, black on white as in the files.
    Its labels [N] int32 count the characters of all alphabets, in the order of alphabets and
    characters.

    Raises:
        RequestError: there are none, a character has too few, a zip file is damaged or unsafe, or
            the download failed.
    """
    folder = dataset_folder(FACTS, data_dir)
    characters = find_characters(data_dir, quiet)
    for (alphabet, character), drawings in characters.items():
        if len(drawings) <= TEST_DRAWINGS:
            raise RequestError(
                f"{folder}: {alphabet}/{character} has {len(drawings)} drawings, expected at least "
                f"{TEST_DRAWINGS + 1} ({TEST_DRAWINGS} are for testing); fetch Omniglot again"
            )
    return PendingDataset(
        name=FACTS.title,
        count=sum(map(len, characters.values())),
        shape=(image_size, image_size, FACTS.channels),
        read=lambda: read(characters, folder, image_size, quiet),
    )


def find_characters(data_dir: Path | None, quiet: bool) -> Characters:
    """Finds every drawing in the folder and its zip files; uses the first of several copies."""
    folder = dataset_folder(FACTS, data_dir)
    for name, contents in CONTENTS.items() if data_dir is None else ():
        if not (folder / name).exists():
            download(FACTS, RemoteFile(f"{URL}{name}", *contents), folder / name, quiet)
    pictures = sorted(folder.rglob("*.png"))
    places = [(path.relative_to(folder).as_posix(), path, None) for path in pictures]
    for path in sorted(folder.glob("*.zip")):
        places += [(name, path, name) for name in member_names(path)]
    found = {}
    for name, file, member in places:
        match = DRAWING.fullmatch(name)
        if match and not name.startswith("__MACOSX/"):
            alphabet, *others = match.groups()
            alphabet = class_name(alphabet, file.parent if member is None else file)
            found.setdefault((alphabet, *others), Drawing(file, member))
    if not found:
        raise not_found(FACTS, f"{LAYOUT} in {folder}")
    characters: Characters = {}
    for key in sorted(found):
        characters.setdefault(key[:2], []).append(found[key])
    return characters


def member_names(path: Path) -> list[str]:
    """Returns the names in a zip file, and refuses names that lie outside its folder.

    Nothing is unpacked here, but a zip file with such a name was made to do harm.
    """
    with read_errors(path), open_bounded(path, MOST_ZIPPED_BYTES) as file:
        with zipfile.ZipFile(file) as archive:
            names = [member.orig_filename for member in archive.infolist()]
        for name in names:
            if re.match(r"/|[A-Za-z]:", name) or "\\" in name or ".." in name.split("/"):
                raise ValueError(f"it holds {name!r}, which would lie outside its folder")
    return names


def read(characters: Characters, folder: Path, size: int, quiet: bool) -> Dataset:
    """Decodes all drawings in parallel to a training and a test set."""
    train = [drawings[:-TEST_DRAWINGS] for drawings in characters.values()]
    test = [drawings[-TEST_DRAWINGS:] for drawings in characters.values()]
    lock = Lock()  # only one thread at a time may read from a zip file
    with ExitStack() as stack:
        archives = {}
        for path in folder.glob("*.zip"):
            with read_errors(path):
                file = stack.enter_context(open_bounded(path, MOST_ZIPPED_BYTES))
                archives[path] = stack.enter_context(zipfile.ZipFile(file))

        def decode_one(drawing: Drawing) -> np.ndarray:
            with read_errors(drawing):
                with lock:
                    contents = read_drawing(drawing, archives.get(drawing.file))
                return decode(contents, size)

        splits = decode_splits(decode_one, train, test, quiet)
    names = tuple("/".join(names) for names in characters)
    return Dataset(*splits, class_names=names, origin=f"{FACTS.title} from {folder}")


def read_drawing(drawing: Drawing, archive: zipfile.ZipFile | None) -> bytes:
    """Reads a drawing's PNG file, from the zip file if it is in one.

    Raises:
        ValueError: it is too large, or its compression is not one of Omniglot's.
        Exception: the zip file is damaged.
    """
    if archive is None:
        with open_bounded(drawing.file, MOST_BYTES) as file:
            return file.read()
    member = archive.getinfo(drawing.member)
    if member.compress_type not in COMPRESSIONS:
        raise ValueError("its compression is not one that Omniglot uses")
    check_size(member.file_size, MOST_BYTES)
    return archive.read(member)


def decode(contents: bytes, size: int) -> np.ndarray:
    """Decodes a drawing's PNG file and squeezes it to [size, size, 1] uint8.

    Raises:
        ValueError: it is too large, or no PNG image.
        Exception: it is damaged.
    """
    with open_image(io.BytesIO(contents), ["PNG"]) as image:
        width, height = image.size
        if max(width, height) > MOST_PIXELS:
            most = f"{MOST_PIXELS:,}×{MOST_PIXELS:,}"
            raise ValueError(f"it has {width:,}×{height:,} pixels, expected at most {most}")
        small = decoded(image, "L").resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(small)[..., np.newaxis]
