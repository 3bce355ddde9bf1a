"""Photographs of dogs, ten breeds of them, as small colour images."""

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from data import cache, memory
from data.breeds import Breeds, choose_breeds, find_photographs
from data.dataset import Dataset, Found, Split, labels_of
from data.download import cache_folder, download_archive
from data.photographs import decode_all
from errors import RequestError

# Imagewoof (fast.ai), ten breeds out of ImageNet: https://github.com/fastai/imagenette
URL = "https://s3.amazonaws.com/fast-ai-imageclas/imagewoof2-160.tgz"
MD5 = "3d200a7be99704a0d7509be2a9fbfe15"


def find(
    folder: Path | None,
    size: int,
    breeds: list[str] | None = None,
    cache_file: Path | None = None,
    cache_only: bool = False,
    quiet: bool = False,
) -> Found:
    """Up to ten breeds of dog, as colour images [N, size, size, 3] uint8, found and counted.

    Args:
        folder: where the photographs are; None for the cache folder, downloaded if need be.
        size: the height and width of the images, in pixels.
        breeds: which breeds, in the order of their labels; None for the first ten by name.
        cache_file: where the decoded images are kept; None for beside the photographs, or in the
            cache folder where that is read-only.
        cache_only: take the decoded images without looking at the photographs, if they are there
            and sound.

    Raises:
        RequestError: the photographs are missing, or the download failed.
    """
    if cache_file is not None and cache_file.exists() and not cache.is_npz(cache_file):
        raise RequestError(
            f"{cache_file} is no .npz file, and pickle files are never read or replaced; name "
            "another with --pickle-file, and it is written from the photographs"
        )
    photographs = partial(find_photographed, folder, size, breeds, cache_file, quiet)
    if not cache_only:
        return photographs()
    stored = cache_file or default_cache(folder or cache_folder() / "dogs", size, breeds)
    if not stored.exists():
        return photographs()
    return Found(
        name="dogs",
        images=stored.stat().st_size // (3 * size * size),  # they are stored as they are
        shape=(size, size, 3),
        read=partial(recall_or_make_anew, stored, size, breeds, photographs),
    )


def find_photographed(
    folder: Path | None, size: int, breeds: list[str] | None, cache_file: Path | None, quiet: bool
) -> Found:
    """The dogs from their photographs, which may be in the cache already (see `find`)."""
    if folder is None:
        folder = cache_folder() / "dogs"
        download_missing(folder, quiet)
    train, test = choose_breeds(*find_photographs(folder), breeds)
    cache_file = cache_file or default_cache(folder, size, breeds)
    return Found(
        name="dogs",
        images=sum(len(paths) for split in (train, test) for paths in split.values()),
        shape=(size, size, 3),
        read=partial(recall_or_decode, folder, train, test, size, cache_file, quiet),
    )


def recall_or_make_anew(
    stored: Path, size: int, breeds: list[str] | None, photographs: Callable[[], Found]
) -> Dataset:
    """The decoded images of an earlier run, whatever has become of the photographs.

    Where the file cannot be used, the photographs are decoded in its place, if they are there.
    """
    try:
        return load_stored(stored, size, breeds)
    except ValueError as error:
        reason = f"{stored} cannot be used: {error}"
    try:
        found = photographs()
        memory.check([found], size)
        dataset = found.read()
    except RequestError as error:
        raise RequestError(f"{reason}; and it cannot be made anew: {error}") from error
    print(f"note: {reason}; it was made anew from the photographs", file=sys.stderr)
    return dataset


def load_stored(path: Path, size: int, breeds: list[str] | None) -> Dataset:
    """The decoded images in a file.

    Raises:
        ValueError: it is damaged, or of another size, version or choice of breeds.
    """
    dataset = cache.load(path, fingerprint=None, size=size)
    if breeds is not None and tuple(breeds) != dataset.class_names:
        raise ValueError(
            f"it holds the breeds {', '.join(dataset.class_names)}, not those of --dog-breeds"
        )
    return replace(dataset, origin=f"{len(dataset.class_names)} breeds of dog from {path}")


def download_missing(folder: Path, quiet: bool) -> None:
    """Fetches Imagewoof to `folder` if nothing is there."""
    if folder.is_dir():
        return
    try:
        download_archive(URL, MD5, folder, quiet)
    except RequestError as error:
        raise RequestError(
            f"dog photographs not found: looked for {folder}, and {error}; name a folder that has "
            "them with --data-dog-dir, connect to a network, or use --fake-data"
        ) from error


def default_cache(folder: Path, size: int, breeds: list[str] | None) -> Path:
    """Where the decoded images of a choice of breeds are kept, None being the first ten.

    That is beside the photographs; in the cache folder where these are read-only, by their folder's
    mode too: that holds back everyone but root, and root is to leave alone what is marked so.
    """
    name = f"dogs-{size}px"
    if breeds is not None:
        name += f"-{short_hash(' '.join(breeds))}"
    writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    if os.access(folder, os.W_OK) and folder.stat().st_mode & writable:
        return folder / f"{name}.npz"
    return cache_folder() / f"{name}-of-{short_hash(str(folder.resolve()))}.npz"


def short_hash(text: str) -> str:
    """Twelve letters and digits that stand for the text in a file's name."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def recall_or_decode(
    folder: Path, train: Breeds, test: Breeds, size: int, cache_file: Path, quiet: bool
) -> Dataset:
    """The dataset out of its cache where that is up to date, else decoded and cached."""
    origin = f"{len(train)} breeds of dog from {folder}"
    fingerprint = fingerprint_of(folder, train, test)
    try:
        return replace(cache.load(cache_file, fingerprint, size), origin=origin)
    except ValueError:
        pass  # not there, stale, damaged or of another size: made anew
    dataset = decode_dataset(train, test, size, origin, quiet)
    try:
        cache.save(cache_file, dataset, fingerprint)
    except OSError as error:
        print(f"note: the decoded dogs are not kept: {cache_file}: {error}", file=sys.stderr)
    return dataset


def fingerprint_of(folder: Path, train: Breeds, test: Breeds) -> str:
    """Stands for which photographs are taken, in which order, and their sizes and dates."""
    digest = hashlib.sha256()
    for split in (train, test):
        for breed, paths in split.items():
            digest.update(f"\n{breed}\n".encode())
            for path in paths:
                facts = path.stat()
                name = path.relative_to(folder)
                digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()


def decode_dataset(train: Breeds, test: Breeds, size: int, origin: str, quiet: bool) -> Dataset:
    """Both splits, decoded with one progress bar."""
    paths = [path for split in (train, test) for group in split.values() for path in group]
    images = decode_all(paths, size, quiet)
    train_labels, test_labels = (labels_of(split.values()) for split in (train, test))
    return Dataset(
        train=Split(images[: len(train_labels)], train_labels),
        test=Split(images[len(train_labels) :], test_labels),
        class_names=tuple(train),
        origin=origin,
    )
