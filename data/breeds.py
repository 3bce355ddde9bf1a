"""Where photographs of dogs lie, breed by breed, and which of them are for testing."""

import csv
import hashlib
import re
from collections import defaultdict
from pathlib import Path

from data.photographs import SUFFIXES
from errors import RequestError

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
MOST_BREEDS = 10
# One photograph in this many is held out for testing where the source has no test split.
HELD_OUT = 10
LAYOUTS = (
    "expected labels.csv with train/<id>.jpg (Kaggle), a folder per breed, or train/ and val/ with "
    "a folder per breed (Imagewoof)"
)
# Far above Kaggle's labels.csv (482 kB), its ids (32 letters and digits) and its breeds.
MOST_BYTES = 1 << 24
MOST_LETTERS = 100

# The photographs of each breed.
Breeds = dict[str, list[Path]]


def find_photographs(folder: Path) -> tuple[Breeds, Breeds]:
    """The training and the test photographs of each breed, in whichever layout they lie."""
    if not folder.is_dir():
        raise RequestError(
            f"dog photographs not found: looked for {folder}; name the folder that has them with "
            "--data-dog-dir, leave out --data-dir to download them, or use --fake-data"
        )
    if (folder / "labels.csv").is_file():
        return hold_out(read_kaggle(folder))
    if (folder / "train").is_dir() and (folder / "val").is_dir():
        return read_folders(folder / "train"), read_folders(folder / "val")
    return hold_out(read_folders(folder))


def read_kaggle(folder: Path) -> Breeds:
    """Kaggle's "dog breed identification": `labels.csv` (id, breed) and `train/<id>.jpg`."""
    labels = folder / "labels.csv"
    breed_of: dict[Path, str] = {}
    for number, name, breed in kaggle_rows(labels):
        if not re.fullmatch(r"\w[\w.-]*", name) or len(name) > MOST_LETTERS:
            raise RequestError(
                f"{labels}, line {number}: the id {name[:MOST_LETTERS]!r} is no plain file name; "
                "correct it"
            )
        if not breed.isprintable() or len(breed) > MOST_LETTERS:
            raise RequestError(
                f"{labels}, line {number}: the breed {breed[:MOST_LETTERS]!r} is no plain name; "
                "correct it"
            )
        path = folder / "train" / f"{name}.jpg"
        if not path.is_file():
            raise RequestError(
                f"{labels}, line {number}: names an image that is missing: {path}; "
                "fetch it or remove the line"
            )
        if breed_of.setdefault(path, breed) != breed:
            raise RequestError(
                f"{labels}, line {number}: {name} stands under two breeds; correct it"
            )
    found = defaultdict(list)
    for path, breed in breed_of.items():
        found[breed].append(path)
    return found


def kaggle_rows(labels: Path) -> list[tuple[int, str, str]]:
    """Line number, id and breed of each row of `labels.csv`."""
    try:
        size = labels.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"has {size:,} bytes, expected {MOST_BYTES:,} at most")
        with labels.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise RequestError(f"{labels}: cannot be read ({error}); fetch it again") from error
    if not {"id", "breed"} <= set(columns):
        raise RequestError(
            f"{labels}: has the columns {', '.join(columns) or '(none)'}, expected id and breed"
        )
    for number, row in rows:
        if not row["id"] or not row["breed"]:
            raise RequestError(f"{labels}, line {number}: id or breed is missing; correct it")
    return [(number, row["id"], row["breed"]) for number, row in rows]


def read_folders(folder: Path) -> Breeds:
    """A folder per breed, named by it, by its WordNet id, or by both (`n02085620-Chihuahua`)."""
    breeds = defaultdict(list)
    # What is hidden is no breed: another process may be writing its cache there.
    breeds_there = (path for path in folder.iterdir() if not path.name.startswith("."))
    for inside in sorted(path for path in breeds_there if path.is_dir()):
        photographs = sorted(path for path in inside.iterdir() if path.suffix.lower() in SUFFIXES)
        if photographs:
            breeds[breed_name(inside.name)] += photographs
    return breeds


def breed_name(folder_name: str) -> str:
    """What to call the breed whose photographs are in a folder of that name."""
    return IMAGEWOOF_BREEDS.get(folder_name) or re.sub(r"^n\d{8}-", "", folder_name)


def hold_out(breeds: Breeds) -> tuple[Breeds, Breeds]:
    """A tenth of each breed for testing: those first by a hash of the file's name.

    The same photographs always, wherever they lie; only adding or removing some can change it.
    """
    train, test = {}, {}
    for breed, paths in breeds.items():
        ordered = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())
        held_out = max(1, round(len(ordered) / HELD_OUT))
        test[breed], train[breed] = ordered[:held_out], ordered[held_out:]
    return train, test


def choose_breeds(train: Breeds, test: Breeds, wanted: list[str] | None) -> tuple[Breeds, Breeds]:
    """Both splits, cut down to the breeds wanted (None: the first ten by name), in that order."""
    there = sorted((breed for breed in train if test.get(breed)), key=str.casefold)
    if len(there) < 2:
        raise RequestError(
            f"dog photographs: found {len(there)} breed{'s' * (len(there) != 1)} that can be "
            f"trained and tested, at least 2 are needed; {LAYOUTS}"
        )
    unknown = [breed for breed in wanted or [] if breed not in there]
    if unknown:
        raise RequestError(f"--dog-breeds: no breed {unknown[0]!r}; there are {', '.join(there)}")
    chosen = wanted or there[:MOST_BREEDS]
    for breed in chosen:
        if not train[breed]:
            raise RequestError(f"dog photographs: {breed} has one photograph, 2 are needed")
    return {breed: train[breed] for breed in chosen}, {breed: test[breed] for breed in chosen}
