"""Omniglot: handwritten characters of many alphabets, each drawn once by each of 20 people.

Lake, Salakhutdinov, Tenenbaum: Human-level concept learning, 2015. Its drawings are read out of
zip files and out of folders, wherever `<alphabet>/characterNN/<name>.png` stands in them.
"""

import io
import re
import zipfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from data.dataset import Dataset, Found, Split, labels_of
from data.download import cache_folder, download
from data.progress import with_progress
from data.threads import picture_threads
from errors import RequestError

URL = "https://github.com/brendenlake/omniglot/raw/master/python/"
MD5 = {
    "images_background.zip": "68d2efa1b9178cc56df9314c21c6e718",
    "images_evaluation.zip": "6b91aef0f799c5bb55b94e3f2daec811",
}
LAYOUT = "zip files or folders that hold <alphabet>/characterNN/<name>.png"
# Others may take gigabytes to unpack what is small.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DRAWING = re.compile(r"(?:.*/)?(\w[\w() .'-]*)/(character\d+)/(\w[^/\s]*\.png)")
# The last drawings of each character, by the name of their file, are for testing.
TESTED = 4
# Far above either of the zip files (9.5 MB): a larger one is none.
MOST_ZIPPED_BYTES = 1 << 28
# Far above any such drawing (300 bytes, 105×105 pixels): a larger one is none.
MOST_BYTES = 1 << 20
MOST_PIXELS = 1_000


@dataclass(frozen=True)
class Drawing:
    """One drawing, and where it lies."""

    alphabet: str
    character: str
    name: str
    file: Path  # itself, or the zip file that has it
    member: str | None  # its name in that zip file

    def __str__(self) -> str:
        return str(self.file) if self.member is None else f"{self.file}, {self.member}"


# The drawings of each (alphabet, character), all in order.
Characters = dict[tuple[str, str], list[Drawing]]


def find_alphabets(data_dir: Path | None, quiet: bool = False) -> dict[str, list[str]]:
    """The alphabets in `data_dir/omniglot`, and the characters of each, both by name.

    With None those in the cache, downloaded if need be. Nothing is decoded.

    Raises:
        RequestError: there are none, a zip file is damaged or unsafe, or the download failed.
    """
    alphabets = defaultdict(list)
    for alphabet, character in group(find_drawings(find_folder(data_dir, quiet))):
        alphabets[alphabet].append(character)
    return dict(alphabets)


def find(data_dir: Path | None, image_size: int, quiet: bool = False) -> Found:
    """All drawings in `data_dir/omniglot`; with None in the cache, downloaded if need be.

    They are found and counted. Its images are [N, image_size, image_size, 1] uint8, black on white
    as in the files; its labels [N] int32 count the characters of all alphabets, in the order of
    alphabets and characters.

    Raises:
        RequestError: there are none, a character has too few, a zip file is damaged or unsafe, or
            the download failed.
    """
    folder = find_folder(data_dir, quiet)
    characters = group(find_drawings(folder))
    for (alphabet, character), drawings in characters.items():
        if len(drawings) <= TESTED:
            raise RequestError(
                f"{folder}: {alphabet}/{character} has {len(drawings)} drawings, expected at least "
                f"{TESTED + 1} ({TESTED} are for testing); fetch Omniglot again"
            )
    return Found(
        name="Omniglot",
        images=sum(map(len, characters.values())),
        shape=(image_size, image_size, 1),
        read=lambda: decode_dataset(characters, folder, image_size, quiet),
    )


def decode_dataset(characters: Characters, folder: Path, image_size: int, quiet: bool) -> Dataset:
    """Both splits, decoded with one progress bar."""
    train = [drawings[:-TESTED] for drawings in characters.values()]
    test = [drawings[-TESTED:] for drawings in characters.values()]
    images = decode_all([drawing for each in train + test for drawing in each], image_size, quiet)
    train_labels, test_labels = labels_of(train), labels_of(test)
    return Dataset(
        train=Split(images[: len(train_labels)], train_labels),
        test=Split(images[len(train_labels) :], test_labels),
        class_names=tuple("/".join(names) for names in characters),
        origin=f"Omniglot from {folder}",
    )


def find_folder(data_dir: Path | None, quiet: bool) -> Path:
    """The folder that Omniglot is in, or should be; in the cache what is missing is downloaded."""
    if data_dir is not None:
        return data_dir / "omniglot"
    folder = cache_folder() / "omniglot"
    for name, md5 in MD5.items():
        if not (folder / name).is_file():
            try:
                download(f"{URL}{name}", md5, folder / name, quiet)
            except RequestError as error:
                raise RequestError(
                    f"Omniglot not found: looked for {name} in {folder}, and {error}; name the "
                    "folder that holds omniglot/ with --data-dir, or connect to a network"
                ) from error
    return folder


def find_drawings(folder: Path) -> list[Drawing]:
    """Every drawing in the folder and in its zip files, in order; one that is in several, once."""
    found = {}
    for path in sorted(folder.rglob("*.png")):
        note(found, path.relative_to(folder).as_posix(), path, None)
    for path in sorted(folder.glob("*.zip")):
        for member in member_names(path):
            note(found, member, path, member)
    if not found:
        raise RequestError(
            f"Omniglot not found: looked in {folder} for {LAYOUT}; name the folder that holds "
            "omniglot/ with --data-dir, or leave --data-dir out to download it"
        )
    return [found[key] for key in sorted(found)]


def note(found: dict[tuple[str, ...], Drawing], name: str, file: Path, member: str | None) -> None:
    """Adds what lies under that name, if it is a drawing and not found yet."""
    match = DRAWING.fullmatch(name)
    if match and not name.startswith("__MACOSX/"):
        found.setdefault(match.groups(), Drawing(*match.groups(), file, member))


def member_names(path: Path) -> list[str]:
    """The names in a zip file, none of which would lie outside the folder it were unpacked to.

    Nothing is unpacked here; but a zip file with such a name was made to do harm.
    """
    try:
        size = path.stat().st_size
        if size > MOST_ZIPPED_BYTES:
            raise ValueError(f"has {size:,} bytes, expected {MOST_ZIPPED_BYTES:,} at most")
        with zipfile.ZipFile(path) as archive:
            names = [member.orig_filename for member in archive.infolist()]
    except Exception as error:  # on damaged files zipfile raises nearly anything
        raise RequestError(f"{path}: no zip file, or damaged ({error}); fetch it again") from error
    for name in names:
        if re.match(r"/|[A-Za-z]:", name) or "\\" in name or ".." in name.split("/"):
            raise RequestError(
                f"{path}: holds {name!r}, which would lie outside its folder; remove the file and "
                "fetch it again"
            )
    return names


def group(drawings: list[Drawing]) -> Characters:
    """The drawings of each (alphabet, character), all in order."""
    characters = defaultdict(list)
    for drawing in drawings:
        characters[drawing.alphabet, drawing.character].append(drawing)
    return characters


def decode_all(drawings: list[Drawing], size: int, quiet: bool) -> np.ndarray:
    """The drawings as [N, size, size, 1] uint8, decoded in parallel."""
    with ExitStack() as stack:
        paths = {drawing.file for drawing in drawings if drawing.member is not None}
        archives = {path: stack.enter_context(zipfile.ZipFile(path)) for path in paths}
        lock = Lock()  # one thread at a time may read a zip file

        def decode(drawing: Drawing) -> np.ndarray:
            with lock:
                contents = read(drawing, archives)
            return decode_png(contents, drawing, size)

        with picture_threads() as pool:
            images = with_progress(pool.map(decode, drawings), len(drawings), "Decoding", quiet)
            return np.stack(list(images))


def read(drawing: Drawing, archives: dict[Path, zipfile.ZipFile]) -> bytes:
    """The drawing's PNG file.

    Raises:
        RequestError: it cannot be read, or is too large to be one.
    """
    try:
        if drawing.member is None:
            size = drawing.file.stat().st_size
        else:
            member = archives[drawing.file].getinfo(drawing.member)
            if member.compress_type not in COMPRESSIONS:
                raise ValueError("compressed in a way that is none of Omniglot's")
            size = member.file_size
        if size > MOST_BYTES:
            raise RequestError(
                f"{drawing}: has {size:,} bytes, expected {MOST_BYTES:,} at most; fetch it again"
            )
        if drawing.member is None:
            return drawing.file.read_bytes()
        return archives[drawing.file].read(drawing.member)
    except RequestError:
        raise
    except Exception as error:  # on damaged files zipfile raises nearly anything
        raise RequestError(f"{drawing}: damaged ({error}); fetch it again") from error


def decode_png(contents: bytes, drawing: Drawing, size: int) -> np.ndarray:
    """The drawing, squeezed to [size, size, 1] uint8.

    Raises:
        RequestError: it is no PNG image, or too large.
    """
    try:
        with Image.open(io.BytesIO(contents), formats=["PNG"]) as image:
            width, height = image.size
            if max(width, height) > MOST_PIXELS:
                raise RequestError(
                    f"{drawing}: has {width:,}×{height:,} pixels, expected at most "
                    f"{MOST_PIXELS:,}×{MOST_PIXELS:,}; fetch it again"
                )
            small = image.convert("L").resize((size, size), Image.Resampling.LANCZOS)
    except RequestError:
        raise
    except Image.UnidentifiedImageError as error:
        raise RequestError(f"{drawing}: no PNG image; fetch it again") from error
    except Exception as error:  # on damaged files Pillow raises nearly anything
        raise RequestError(f"{drawing}: cannot be decoded ({error}); fetch it again") from error
    return np.asarray(small)[..., np.newaxis]
