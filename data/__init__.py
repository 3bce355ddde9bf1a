"""Datasets: files on disk, or drawn pictures, as uint8 arrays. Nothing about tasks or networks."""

import argparse
from collections.abc import Iterable

from data import dogs, drawn, mnist
from data.dataset import Dataset
from errors import RequestError


def load_datasets(names: Iterable[str], settings: argparse.Namespace) -> dict[str, Dataset]:
    """The named datasets (`mnist`, `dogs`), read, downloaded or drawn as the flags say.

    Raises:
        RequestError: the data is not there, cannot be downloaded, or is not what it should be.
    """
    if settings.fake_data:
        load = {
            "mnist": lambda: drawn.digits(settings.quiet),
            "dogs": lambda: drawn.dogs(settings.quiet),
        }
    else:
        load = {"mnist": lambda: load_mnist(settings), "dogs": lambda: load_dogs(settings)}
    try:
        return {name: load[name]() for name in names}
    except OSError as error:
        raise RequestError(f"the data cannot be read: {error}") from error


def load_mnist(settings: argparse.Namespace) -> Dataset:
    """MNIST from where the flags say that it is."""
    return mnist.load(settings.data_dir, settings.quiet)


def load_dogs(settings: argparse.Namespace) -> Dataset:
    """The dogs from where the flags say that they are."""
    folder = settings.data_dog_dir
    if folder is None and settings.data_dir is not None:
        folder = settings.data_dir / "dogs"
    return dogs.load(
        folder,
        breeds=settings.dog_breeds,
        cache_file=settings.pickle_file,
        cache_only=settings.use_pickle,
        quiet=settings.quiet,
    )
