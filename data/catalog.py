"""The datasets by name. Imports no other package, so that flags can be checked quickly."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetFacts:
    """Facts about a dataset that are known without its files."""

    title: str  # its name in messages
    folder: str  # its folder's name in DATA_DIR and in the cache folder
    channels: int  # 1 (gray) or 3 (red, green, blue)
    can_be_drawn: bool = False  # whether --fake-data has pictures that stand in for it
    folder_flag: str | None = None  # the flag that names its folder directly, if there is one


CATALOG = {
    "mnist": DatasetFacts("MNIST", "mnist", channels=1, can_be_drawn=True),
    "fashion-mnist": DatasetFacts("Fashion-MNIST", "fashion-mnist", channels=1),
    "dogs": DatasetFacts("dog photographs", "dogs", 3, True, folder_flag="--data-dog-dir"),
    "cifar10": DatasetFacts("CIFAR-10", "cifar-10-batches-bin", channels=3),
    "cifar100": DatasetFacts("CIFAR-100", "cifar-100-binary", channels=3),
    "omniglot": DatasetFacts("Omniglot", "omniglot", channels=1),
}
