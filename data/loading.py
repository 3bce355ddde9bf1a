"""The datasets by their names: read, downloaded or drawn."""

from collections.abc import Iterable
from dataclasses import replace

from data import cifar, dogs, drawn, memory, mnist, omniglot
from data.dataset import Dataset, PendingDataset
from data.pictures import to_size
from errors import RequestError
from settings import DataSettings


def load_datasets(
    names: Iterable[str],
    settings: DataSettings,
    image_size: int,
    quiet: bool,
    from_config: bool = False,
) -> dict[str, Dataset]:
    """Loads datasets, their images [N, image_size, image_size, C] uint8.

    Args:
        names: those of `data.catalog.CATALOG`.
        quiet: shows no progress.
        from_config: the settings are those of a run's config.json, which may be somebody else's:
            nothing is written outside the user's cache folder.

    Raises:
        RequestError: the data is missing or damaged, cannot be downloaded or drawn, or does not
            fit into memory.
    """
    try:
        found = {name: find(name, settings, image_size, quiet, from_config) for name in names}
        memory.check(found.values(), image_size)
        return {name: resized(each.read(), image_size, quiet) for name, each in found.items()}
    except OSError as error:
        raise RequestError(f"the data cannot be read: {error}") from error


def find(
    name: str, settings: DataSettings, image_size: int, quiet: bool, from_config: bool = False
) -> PendingDataset:
    """Finds a dataset, or what --fake-data draws in its place, without reading it."""
    data_dir = settings.data_dir
    if settings.fake_data:
        return drawn.find(name, quiet)
    if name == "dogs":
        return dogs.find(settings, image_size, quiet, from_config)
    if name == "omniglot":
        return omniglot.find(data_dir, image_size, quiet)
    if name in ("mnist", "fashion-mnist"):
        source = mnist.MNIST if name == "mnist" else mnist.FASHION_MNIST
        return mnist.find(source, data_dir, quiet)
    source = {"cifar10": cifar.CIFAR_10, "cifar100": cifar.CIFAR_100}[name]
    return cifar.find(source, data_dir, quiet)


def resized(dataset: Dataset, image_size: int, quiet: bool) -> Dataset:
    """Returns the dataset with its images at another height and width."""
    train, test = (
        replace(split, images=to_size(split.images, image_size, quiet))
        for split in (dataset.train, dataset.test)
    )
    return replace(dataset, train=train, test=test)
