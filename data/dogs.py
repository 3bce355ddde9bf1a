"""Photographs of dogs, up to ten breeds of them, as small color images."""

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from command import print_note
from data import cache, memory
from data.breeds import Breeds, choose_breeds, find_photographs
from data.catalog import CATALOG
from data.dataset import Dataset, PendingDataset
from data.download import cache_folder, dataset_folder, download_folder
from data.files import check_size, read_errors
from data.pictures import decode_splits, open_image
from errors import RequestError

FACTS = CATALOG["dogs"]
# Imagewoof (fast.ai), ten breeds of ImageNet: https://github.com/fastai/imagenette
URL = "https://s3.amazonaws.com/fast-ai-imageclas/imagewoof2-160.tgz"
MD5 = "3d200a7be99704a0d7509be2a9fbfe15"
# Far above any photograph of a dog (most have 50 kB).
MOST_BYTES = 1 << 27


def find(
    folder: Path | None,
    size: int,
    breeds: list[str] | None = None,
    cache_file: Path | None = None,
    cache_only: bool = False,
    quiet: bool = False,
) -> PendingDataset:
    """Finds photographs of up to ten breeds of dog, as images [N, size, size, 3] uint8.

    Args:
        folder: the photographs' folder; None for the cache folder, downloaded if missing.
        size: the height and width of the images, in pixels.
        breeds: the breeds in the order of their labels; None for the first ten by name.
        cache_file: the file of decoded images; None for one beside the photographs, or in the
            cache folder if these are read-only.
        cache_only: uses the decoded images without looking at the photographs, if they are there
            and sound.

    Raises:
        RequestError: the photographs are missing, or the download failed.
    """
    if cache_file is not None and cache_file.exists() and not cache.is_npz(cache_file):
        raise RequestError(
            f"{cache_file} is no .npz file, and pickle files are never read or replaced; name "
            "another with --pickle-file, and it is written from the photographs"
        )
    find_originals = partial(find_photographed, folder, size, breeds, cache_file, quiet)
    if cache_only:
        stored = cache_file or default_cache(folder or dataset_folder(FACTS, None), size, breeds)
        if stored.exists():
            return PendingDataset(
                name="dogs",
                count=stored.stat().st_size // (3 * size * size),  # its images are not compressed
                shape=(size, size, FACTS.channels),
                read=partial(load_or_rebuild, stored, size, breeds, find_originals),
            )
    return find_originals()


def find_photographed(
    folder: Path | None, size: int, breeds: list[str] | None, cache_file: Path | None, quiet: bool
) -> PendingDataset:
    """Finds the photographs; reading decodes them if their cache is outdated (see `find`)."""
    if folder is None:
        folder = dataset_folder(FACTS, None)
        download_folder(FACTS, URL, MD5, folder, quiet)
    train, test = choose_breeds(*find_photographs(folder), breeds)
    cache_file = cache_file or default_cache(folder, size, breeds)
    return PendingDataset(
        name="dogs",
        count=sum(len(paths) for split in (train, test) for paths in split.values()),
        shape=(size, size, FACTS.channels),
        read=partial(load_or_decode, folder, train, test, size, cache_file, quiet),
    )


def load_or_rebuild(
    stored: Path, size: int, breeds: list[str] | None, find_originals: Callable[[], PendingDataset]
) -> Dataset:
    """Loads decoded images without looking at the photographs.

    If the file cannot be used, rebuilds it from the photographs and prints a note.

    Raises:
        RequestError: neither the file nor the photographs can be used.
    """
    try:
        dataset = cache.load(stored, None, size)
        names = dataset.class_names
        if breeds is not None and tuple(breeds) != names:
            raise ValueError(f"it holds the breeds {', '.join(names)}, not those of --dog-breeds")
        return replace(dataset, origin=f"{len(names)} breeds of dog from {stored}")
    except ValueError as error:
        reason = f"{stored} cannot be used: {error}"
    try:
        found = find_originals()
        memory.check([found], size)
        dataset = found.read()
    except RequestError as error:
        raise RequestError(f"{reason}; and it cannot be rebuilt: {error}") from error
    print_note(f"{reason}; it was rebuilt from the photographs")
    return dataset


def default_cache(folder: Path, size: int, breeds: list[str] | None) -> Path:
    """Returns the file for the decoded images of the breeds; None stands for the first ten.

    It is beside the photographs, or in the cache folder if their folder is read-only. The folder's
    mode counts too: it does not stop root, who should still leave such a folder alone.
    """
    name = f"dogs-{size}px"
    if breeds is not None:
        name += f"-{short_hash(' '.join(breeds))}"
    writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    if os.access(folder, os.W_OK) and folder.stat().st_mode & writable:
        return folder / f"{name}.npz"
    return cache_folder() / f"{name}-of-{short_hash(str(folder.resolve()))}.npz"


def short_hash(text: str) -> str:
    """Returns twelve hexadecimal digits that identify the text in a file's name."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_or_decode(
    folder: Path, train: Breeds, test: Breeds, size: int, cache_file: Path, quiet: bool
) -> Dataset:
    """Loads the decoded images from their cache; decodes and caches them if it is outdated."""
    fingerprint = fingerprint_of(folder, train, test)
    origin = f"{len(train)} breeds of dog from {folder}"
    try:
        return replace(cache.load(cache_file, fingerprint, size), origin=origin)
    except ValueError:
        pass  # missing, outdated, damaged or of another size
    photographs = (list(train.values()), list(test.values()))
    splits = decode_splits(partial(decode, size=size), *photographs, quiet)
    dataset = Dataset(*splits, class_names=tuple(train), origin=origin)
    try:
        cache.save(cache_file, dataset, fingerprint)
    except OSError as error:
        print_note(f"the decoded dogs are not cached: {cache_file}: {error}")
    return dataset


def decode(path: Path, size: int) -> np.ndarray:
    """Decodes one photograph and squeezes it to [size, size, 3] uint8.

    Raises:
        RequestError: it is no image, is truncated, or is too large to decode safely.
    """
    with read_errors(path, "replace or remove it"):
        check_size(path.stat().st_size, MOST_BYTES)
        with open_image(path, ("JPEG", "PNG")) as image:
            # The JPEG decoder scales down by 2, 4 or 8 at almost no cost. Twice the final size
            # leaves enough detail for the better filter below.
            image.draft("RGB", (2 * size, 2 * size))
            return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))


def fingerprint_of(folder: Path, train: Breeds, test: Breeds) -> str:
    """Returns a hash of the photographs' names, order, sizes and modification times."""
    text = ""
    for split in (train, test):
        for breed, paths in split.items():
            text += f"\n{breed}\n"
            for path in paths:
                facts = path.stat()
                text += f"{path.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}\n"
        text += "\n"
    return hashlib.sha256(text.encode()).hexdigest()
