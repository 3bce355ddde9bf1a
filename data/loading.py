"""The datasets by their names, read, downloaded or drawn as the flags say."""

import argparse
from collections.abc import Iterable
from dataclasses import replace

from data import cifar, dogs, drawn, mnist, omniglot
from data.dataset import Dataset, Split
from data.resize import to_size
from errors import RequestError


def load_dogs(settings: argparse.Namespace) -> Dataset:
    """The dogs from where the flags say that they are."""
    folder = settings.data_dog_dir
    if folder is None and settings.data_dir is not None:
        folder = settings.data_dir / "dogs"
    return dogs.load(
        folder,
        settings.image_size,
        breeds=settings.dog_breeds,
        cache_file=settings.pickle_file,
        cache_only=settings.use_pickle,
        quiet=settings.quiet,
    )


READERS = {
    "mnist": lambda settings: mnist.load(mnist.MNIST, settings.data_dir, settings.quiet),
    "fashion-mnist": lambda settings: mnist.load(
        mnist.FASHION_MNIST, settings.data_dir, settings.quiet
    ),
    "dogs": load_dogs,
    "cifar10": lambda settings: cifar.load(cifar.CIFAR_10, settings.data_dir, settings.quiet),
    "cifar100": lambda settings: cifar.load(cifar.CIFAR_100, settings.data_dir, settings.quiet),
    "omniglot": lambda settings: omniglot.load(
        settings.data_dir, settings.image_size, settings.quiet
    ),
}
DRAWERS = {
    "mnist": lambda settings: drawn.digits(settings.quiet),
    "dogs": lambda settings: drawn.dogs(settings.quiet),
}


def load_datasets(names: Iterable[str], settings: argparse.Namespace) -> dict[str, Dataset]:
    """The named datasets, their images [N, S, S, C] uint8 where S is the flag --image-size.

    The names are those of `READERS`, or of `DRAWERS` where data is to be drawn. Of the settings it
    reads data_dir, data_dog_dir, dog_breeds, fake_data, image_size, pickle_file, quiet and
    use_pickle.

    Raises:
        RequestError: the data is not there, cannot be downloaded, or is not what it should be.
    """
    loaders = DRAWERS if settings.fake_data else READERS
    try:
        return {name: sized(loaders[name](settings), settings) for name in names}
    except OSError as error:
        raise RequestError(f"the data cannot be read: {error}") from error


def sized(dataset: Dataset, settings: argparse.Namespace) -> Dataset:
    """The dataset with its images at the size that the flags say."""

    def resized(split: Split) -> Split:
        return replace(split, images=to_size(split.images, settings.image_size, settings.quiet))

    return replace(dataset, train=resized(dataset.train), test=resized(dataset.test))
