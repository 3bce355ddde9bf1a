"""The datasets by their names: read, downloaded or drawn."""

from collections.abc import Iterable
from dataclasses import replace

from data import cifar, dogs, drawn, memory, mnist, omniglot
from data.dataset import Dataset, PendingDataset, Split
from data.resize import to_size
from errors import RequestError
from settings import DataSettings


def load_datasets(
    names: Iterable[str], settings: DataSettings, image_size: int, quiet: bool
) -> dict[str, Dataset]:
    """Loads datasets, their images [N, image_size, image_size, C] uint8.

    Args:
        names: those of `data.catalog.CATALOG`.
        quiet: shows no progress.

    Raises:
        RequestError: the data is missing or damaged, cannot be downloaded or drawn, or does not
            fit into memory.
    """
    try:
        found = {name: find(name, settings, image_size, quiet) for name in names}
        memory.check(found.values(), image_size)
        return {name: resized(each.read(), image_size, quiet) for name, each in found.items()}
    except OSError as error:
        raise RequestError(f"the data cannot be read: {error}") from error


def find(name: str, settings: DataSettings, image_size: int, quiet: bool) -> PendingDataset:
    """Finds a dataset, or what --fake-data draws in its place, without reading it."""
    data_dir = settings.data_dir
    if settings.fake_data:
        return {"mnist": drawn.find_digits, "dogs": drawn.find_dogs}[name](quiet)
    if name == "dogs":
        return find_dogs(settings, image_size, quiet)
    if name == "omniglot":
        return omniglot.find(data_dir, image_size, quiet)
    if name in ("mnist", "fashion-mnist"):
        source = mnist.MNIST if name == "mnist" else mnist.FASHION_MNIST
        return mnist.find(source, data_dir, quiet)
    source = {"cifar10": cifar.CIFAR_10, "cifar100": cifar.CIFAR_100}[name]
    return cifar.find(source, data_dir, quiet)


def find_dogs(settings: DataSettings, image_size: int, quiet: bool) -> PendingDataset:
    """Finds the photographs of dogs, or the cache of their decoded images."""
    folder = settings.data_dog_dir
    if folder is None and settings.data_dir is not None:
        folder = settings.data_dir / "dogs"
    return dogs.find(
        folder,
        image_size,
        breeds=settings.dog_breeds,
        cache_file=settings.pickle_file,
        cache_only=settings.use_pickle,
        quiet=quiet,
    )


def resized(dataset: Dataset, image_size: int, quiet: bool) -> Dataset:
    """Returns the dataset with its images at another height and width."""

    def at_size(split: Split) -> Split:
        return replace(split, images=to_size(split.images, image_size, quiet))

    return replace(dataset, train=at_size(dataset.train), test=at_size(dataset.test))
