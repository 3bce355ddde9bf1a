"""The datasets by name: what each has, without reading or importing anything."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetFacts:
    """The facts of a dataset that hold before it is found."""

    title: str
    can_be_drawn: bool = False  # by --fake-data


DATASETS = {
    "mnist": DatasetFacts("MNIST", can_be_drawn=True),
    "fashion-mnist": DatasetFacts("Fashion-MNIST"),
    "dogs": DatasetFacts("dogs", can_be_drawn=True),
    "cifar10": DatasetFacts("CIFAR-10"),
    "cifar100": DatasetFacts("CIFAR-100"),
    "omniglot": DatasetFacts("Omniglot"),
}
