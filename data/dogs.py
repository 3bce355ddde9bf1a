"""Photographs of dogs, up to ten breeds of them, as small color images."""

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
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
from data.download import RemoteFile, cache_folder, dataset_folder, download_folder
from data.files import hash_of, open_bounded, read_errors, text_of
from data.pictures import decode_splits, decoded, open_image
from errors import RequestError
from settings import DataSettings

FACTS = CATALOG["dogs"]
# Imagewoof (fast.ai), ten breeds of ImageNet: https://github.com/fastai/imagenette
ARCHIVE = RemoteFile(
    "https://s3.amazonaws.com/fast-ai-imageclas/imagewoof2-160.tgz",
    92_612_825,
    "3d200a7be99704a0d7509be2a9fbfe15",
)
# Far above any photograph of a dog (most have 50 kB).
MOST_BYTES = 1 << 27


def find(
    settings: DataSettings, size: int, quiet: bool = False, from_config: bool = False
) -> PendingDataset:
    """Finds photographs of up to ten breeds of dog, as images [N, size, size, 3] uint8.

    The images are decoded once: see `cache_files`. With `--use-pickle` they are used without
    looking at the photographs, if they are there and sound.

    Args:
        settings: `data_dog_dir`, or the folder of dogs in `data_dir`, holds the photographs; with
            neither, they are downloaded to the cache folder if missing.
        size: the height and width of the images, in pixels.
        from_config: see `load_datasets`.

    Raises:
        RequestError: the photographs are missing, the download failed, or the file that
            `--pickle-file` names is not one that this program wrote.
    """
    named = settings.pickle_file
    if named is not None and not from_config:
        try:
            cache.check_replaceable(named)
        except (OSError, ValueError) as error:
            raise RequestError(
                f"--pickle-file: {named} cannot be used ({text_of(error)}); name another, and it "
                "is written from the photographs"
            ) from error
    folder = settings.data_dog_dir
    if folder is None and settings.data_dir is not None:
        folder = dataset_folder(FACTS, settings.data_dir)
    find_originals = partial(find_photographed, settings, folder, size, quiet, from_config)
    caches = cache_files(settings, folder or dataset_folder(FACTS, None), size, from_config)
    stored = next((path for path in caches if path.exists()), None)
    if settings.use_pickle and stored:
        return PendingDataset(
            name="dogs",
            count=stored.stat().st_size // (3 * size * size),  # its images are not compressed
            shape=(size, size, FACTS.channels),
            read=partial(load_or_rebuild, stored, size, settings.dog_breeds, find_originals),
        )
    return find_originals()


def find_photographed(
    settings: DataSettings, folder: Path | None, size: int, quiet: bool, from_config: bool
) -> PendingDataset:
    """Finds the photographs; reading decodes them if all caches are outdated (see `find`)."""
    if folder is None:
        folder = dataset_folder(FACTS, None)
        download_folder(FACTS, ARCHIVE, folder, quiet)
    train, test = choose_breeds(*find_photographs(folder), settings.dog_breeds)
    caches = cache_files(settings, folder, size, from_config)
    return PendingDataset(
        name="dogs",
        count=sum(len(paths) for split in (train, test) for paths in split.values()),
        shape=(size, size, FACTS.channels),
        read=partial(load_or_decode, folder, train, test, size, caches, quiet),
    )


def load_or_rebuild(
    stored: Path,
    size: int,
    breeds: Sequence[str] | None,
    find_originals: Callable[[], PendingDataset],
) -> Dataset:
    """Loads decoded images without looking at the photographs.

    If the file cannot be used, takes the photographs and prints a note.

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
    print_note(f"{reason}; the photographs were used instead")
    return dataset


def cache_files(
    settings: DataSettings, folder: Path, size: int, from_config: bool
) -> tuple[Path, ...]:
    """Returns the files of decoded images: the first sound one is used, the last one is written.

    It is the one that the user names, or one beside the photographs, or one in the cache folder if
    their folder is read-only. The folder's mode counts too: it does not stop root, who should still
    leave such a folder alone. Where a run's config.json names the files, only the one in the cache
    folder is written.
    """
    name = f"dogs-{size}px"
    if settings.dog_breeds is not None:
        name += f"-{hash_of(' '.join(settings.dog_breeds))[:12]}"
    writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    chosen = settings.pickle_file
    if chosen is None and os.access(folder, os.W_OK) and folder.stat().st_mode & writable:
        chosen = folder / f"{name}.npz"
    if chosen and not from_config:
        return (chosen,)
    central = cache_folder() / f"{name}-of-{hash_of(str(folder.resolve()))[:12]}.npz"
    return (chosen, central) if chosen else (central,)


def load_or_decode(
    folder: Path, train: Breeds, test: Breeds, size: int, caches: Sequence[Path], quiet: bool
) -> Dataset:
    """Loads the decoded images from a cache; decodes and caches them if all are outdated."""
    fingerprint = fingerprint_of(folder, train, test)
    origin = f"{len(train)} breeds of dog from {folder}"
    for path in caches:
        with suppress(ValueError):  # missing, outdated, damaged or of another size
            return replace(cache.load(path, fingerprint, size), origin=origin)
    photographs = (list(train.values()), list(test.values()))
    splits = decode_splits(partial(decode, size=size), *photographs, quiet)
    dataset = Dataset(*splits, class_names=tuple(train), origin=origin)
    try:
        cache.save(caches[-1], dataset, fingerprint)
    except (OSError, ValueError) as error:
        print_note(f"the decoded dogs are not cached: {caches[-1]} ({text_of(error)})")
    return dataset


def decode(path: Path, size: int) -> np.ndarray:
    """Decodes one photograph and squeezes it to [size, size, 3] uint8.

    Raises:
        RequestError: it is no image, is truncated, or is too large to decode safely.
    """
    with (
        read_errors(path, "replace or remove it"),
        open_bounded(path, MOST_BYTES) as file,
        open_image(file, ("JPEG", "PNG")) as image,
    ):
        # The JPEG decoder scales down by 2, 4 or 8 at almost no cost. Twice the final size
        # leaves enough detail for the better filter below.
        image.draft("RGB", (2 * size, 2 * size))
        upright = decoded(image, "RGB")
        return np.asarray(upright.resize((size, size), Image.Resampling.LANCZOS))


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
    return hash_of(text)
