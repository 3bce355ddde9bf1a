"""Finds photographs of dogs by breed, and splits them into a training and a test set."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from data.catalog import CATALOG
from data.download import not_found
from data.files import class_name, hash_of, is_class_name, open_bounded, read_errors
from errors import RequestError
from settings.running import MAX_BREEDS

# Imagewoof names its folders by WordNet id.
IMAGEWOOF_BREEDS = {
    "n02086240": "shih-tzu",
    "n02087394": "rhodesian_ridgeback",
    "n02088364": "beagle",
    "n02089973": "english_foxhound",
    "n02093754": "border_terrier",
    "n02096294": "australian_terrier",
    "n02099601": "golden_retriever",
    "n02105641": "old_english_sheepdog",
    "n02111889": "samoyed",
    "n02115641": "dingo",
}
SUFFIXES = {".jpg", ".jpeg", ".png"}
# One photograph in this many is for testing if the source has no test split.
HELD_OUT = 10
LAYOUTS = (
    "expected labels.csv with train/<id>.jpg (Kaggle), a folder per breed, or train/ and val/ with "
    "a folder per breed (Imagewoof)"
)
# Far above Kaggle's labels.csv (482 kB) and its ids (32 letters and digits).
MOST_BYTES = 1 << 24
MOST_LETTERS = 100
NAME = re.compile(rf"\w[\w.-]{{0,{MOST_LETTERS - 1}}}")

# The photographs of each breed, by its name.
Breeds = dict[str, list[Path]]


def find_photographs(folder: Path) -> tuple[Breeds, Breeds]:
    """Finds the training and the test photographs of each breed, in any of the known layouts."""
    if not folder.is_dir():
        raise not_found(CATALOG["dogs"], folder)
    if (folder / "labels.csv").exists():
        return hold_out(read_kaggle(folder))
    if (folder / "train").is_dir() and (folder / "val").is_dir():
        return read_folders(folder / "train"), read_folders(folder / "val")
    return hold_out(read_folders(folder))


def read_kaggle(folder: Path) -> Breeds:
    """Reads `labels.csv` (id, breed) and finds `train/<id>.jpg`, as in Kaggle's competition.

    Raises:
        RequestError: a line is malformed, or its photograph is missing.
    """
    labels = folder / "labels.csv"
    breed_of: dict[str, str] = {}
    found = defaultdict(list)
    with read_errors(labels, "correct it, or fetch the photographs again"):
        with open_bounded(labels, MOST_BYTES) as file:
            contents = file.read().decode("utf-8-sig")
        for line, name, breed in read_labels(contents):
            if breed_of.get(name) == breed:
                continue  # a repeated line
            if not NAME.fullmatch(name) or not is_class_name(breed):
                strange = f"{name[:MOST_LETTERS]!r} and {breed[:MOST_LETTERS]!r}"
                raise ValueError(
                    f"line {line} has {strange}, expected a plain file name and a breed"
                )
            path = folder / "train" / f"{name}.jpg"
            if not path.exists():
                raise ValueError(f"line {line}: its image {path} is missing")
            if name in breed_of:
                raise ValueError(f"line {line}: {name} is listed under two breeds")
            breed_of[name] = breed
            found[breed].append(path)
    return found


def read_labels(contents: str) -> Iterator[tuple[int, str, str]]:
    """Yields the number, the id and the breed of each line, without the spaces around them.

    Raises:
        ValueError: a column is missing.
        csv.Error: a line is malformed.
    """
    reader = csv.reader(io.StringIO(contents, newline=None))
    columns = [column.strip() for column in next(reader, [])]
    if not {"id", "breed"} <= set(columns):
        found = ", ".join(columns)[:MOST_LETTERS] or "(none)"
        raise ValueError(f"it has the columns {found}, expected id and breed")
    name, breed = columns.index("id"), columns.index("breed")
    for row in filter(None, reader):
        row += [""] * (len(columns) - len(row))
        yield reader.line_num, row[name].strip(), row[breed].strip()


def read_folders(folder: Path) -> Breeds:
    """Finds a folder per breed, named by it, by its WordNet id, or as `n02085620-pug`.

    Raises:
        RequestError: a breed's name is not printable, or too long.
    """
    breeds = defaultdict(list)
    # Hidden folders are no breeds: another process may be writing its cache there.
    for inside in sorted(path for path in folder.glob("[!.]*") if path.is_dir()):
        name = IMAGEWOOF_BREEDS.get(inside.name) or re.sub(r"^n\d{8}-", "", inside.name)
        photographs = sorted(path for path in inside.iterdir() if path.suffix.lower() in SUFFIXES)
        if photographs:
            breeds[class_name(name, inside)] += photographs
    return breeds


def hold_out(breeds: Breeds) -> tuple[Breeds, Breeds]:
    """Splits each breed: the tenth with the lowest hashes of their file names is for testing.

    Equal file names give equal splits, on every machine and in every folder.
    """
    train, test = {}, {}
    for breed, paths in breeds.items():
        ordered = sorted(paths, key=lambda path: hash_of(path.name))
        held_out = max(1, round(len(ordered) / HELD_OUT))
        test[breed], train[breed] = ordered[:held_out], ordered[held_out:]
    return train, test


def choose_breeds(train: Breeds, test: Breeds, wanted: list[str] | None) -> tuple[Breeds, Breeds]:
    """Reduces both splits to the wanted breeds, in their order; None: to the first ten by name.

    Raises:
        RequestError: there are fewer than two breeds, not all that are wanted, or one of them has
            only one photograph.
    """
    available = sorted((breed for breed in train if test.get(breed)), key=str.casefold)
    if len(available) < 2:
        raise RequestError(
            f"dog photographs: found {len(available)} breed{'s' * (len(available) != 1)} that can "
            f"be trained and tested, at least 2 are needed; {LAYOUTS}"
        )
    chosen = wanted or available[:MAX_BREEDS]
    for breed in chosen:
        if breed not in available:
            raise RequestError(
                f"--dog-breeds: no breed {breed!r}; there are {', '.join(available)}"
            )
        if not train[breed]:
            raise RequestError(
                f"dog photographs: {breed} has 1 photograph, at least 2 are needed; add one, or "
                "choose other breeds with --dog-breeds"
            )
    return {breed: train[breed] for breed in chosen}, {breed: test[breed] for breed in chosen}
