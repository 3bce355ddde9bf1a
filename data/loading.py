"""The datasets by their names, read, downloaded or drawn as the flags say."""

import argparse
from collections.abc import Iterable
from dataclasses import replace

from data import cifar, dogs, drawn, memory, mnist, omniglot
from data.dataset import Dataset, Found, Split
from data.resize import to_size
from errors import RequestError


def find_dogs(settings: argparse.Namespace) -> Found:
    """The dogs from where the flags say that they are."""
    folder = settings.data_dog_dir
    if folder is None and settings.data_dir is not None:
        folder = settings.data_dir / "dogs"
    return dogs.find(
        folder,
        settings.image_size,
        breeds=settings.dog_breeds,
        cache_file=settings.pickle_file,
        cache_only=settings.use_pickle,
        quiet=settings.quiet,
    )


FOUND = {
    "mnist": lambda settings: mnist.find(mnist.MNIST, settings.data_dir, settings.quiet),
    "fashion-mnist": lambda settings: mnist.find(
        mnist.FASHION_MNIST, settings.data_dir, settings.quiet
    ),
    "dogs": find_dogs,
    "cifar10": lambda settings: cifar.find(cifar.CIFAR_10, settings.data_dir, settings.quiet),
    "cifar100": lambda settings: cifar.find(cifar.CIFAR_100, settings.data_dir, settings.quiet),
    "omniglot": lambda settings: omniglot.find(
        settings.data_dir, settings.image_size, settings.quiet
    ),
}
DRAWN = {
    "mnist": lambda settings: drawn.find_digits(settings.quiet),
    "dogs": lambda settings: drawn.find_dogs(settings.quiet),
}


def load_datasets(names: Iterable[str], settings: argparse.Namespace) -> dict[str, Dataset]:
    """The named datasets, their images [N, S, S, C] uint8 where S is the flag --image-size.

    The names are those of `FOUND`, or of `DRAWN` where data is to be drawn. Of the settings it
    reads data_dir, data_dog_dir, dog_breeds, fake_data, image_size, pickle_file, quiet and
    use_pickle.

    Raises:
        RequestError: the data is not there, cannot be downloaded, or is not what it should be,
            or does not fit into memory.
    """
    kinds = DRAWN if settings.fake_data else FOUND
    try:
        found = {name: kinds[name](settings) for name in names}
        memory.check(found.values(), settings.image_size)
        return {name: sized(each.read(), settings) for name, each in found.items()}
    except OSError as error:
        raise RequestError(f"the data cannot be read: {error}") from error


def sized(dataset: Dataset, settings: argparse.Namespace) -> Dataset:
    """The dataset with its images at the size that the flags say."""

    def resized(split: Split) -> Split:
        return replace(split, images=to_size(split.images, settings.image_size, settings.quiet))

    return replace(dataset, train=resized(dataset.train), test=resized(dataset.test))
