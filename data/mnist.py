"""MNIST and Fashion-MNIST, each from its four IDX files.

LeCun, Cortes, Burges: The MNIST database, 1998. Xiao, Rasul, Vollgraf: Fashion-MNIST, 2017.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.catalog import CATALOG, DatasetFacts
from data.class_names import DIGITS, FASHION
from data.dataset import Dataset, PendingDataset, Split
from data.download import dataset_folder, download, download_errors, not_found
from data.files import check_labels, read_errors
from data.idx import read_idx, read_shape
from errors import RequestError

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
# The height and width of the images in the files, in pixels.
FILE_SIZE = 28


@dataclass(frozen=True)
class Source:
    """A dataset of four IDX files."""

    facts: DatasetFacts
    in_data_dir: bool  # whether the files may lie in DATA_DIR itself
    class_names: tuple[str, ...]
    url: str  # of the folder with the files
    md5: dict[str, str]  # of each file as it is downloaded, gzipped


MNIST = Source(
    facts=CATALOG["mnist"],
    in_data_dir=True,
    class_names=DIGITS,
    url="https://storage.googleapis.com/cvdf-datasets/mnist/",
    md5={
        TRAIN_IMAGES: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        TRAIN_LABELS: "d53e105ee54ea40749a09fcbcd1e9432",
        TEST_IMAGES: "9fb629c4189551a2d022fa330f9573f3",
        TEST_LABELS: "ec29112dd5afa0611ce80d1b7f02629c",
    },
)
FASHION_MNIST = Source(
    facts=CATALOG["fashion-mnist"],
    in_data_dir=False,  # or MNIST's own files would be taken for it
    class_names=FASHION,
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    md5={
        TRAIN_IMAGES: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        TRAIN_LABELS: "25c81989df183df01b3e8a0aad5dffbe",
        TEST_IMAGES: "bef4ecab320f06d8554ea6380940ec79",
        TEST_LABELS: "bb300cfdad3c16e7a12a480ee83cd310",
    },
)


def find(source: Source, data_dir: Path | None, quiet: bool = False) -> PendingDataset:
    """Finds a dataset's files in `data_dir` and checks their headers.

    With None it looks in the cache folder and downloads missing files. The dataset's images are
    [N, 28, 28, 1] uint8, its labels [N] int32.

    Raises:
        RequestError: files are missing or damaged, or the download failed.
    """
    folder = dataset_folder(source.facts, data_dir)
    if data_dir is None:
        download_missing(source, folder, quiet)
    elif source.in_data_dir and not folder.is_dir():
        folder = data_dir
    paths = {name: find_file(folder, name) for name in FILES}
    for name, path in paths.items():
        if path is None:
            raise not_found(source.facts, f"{name} or {name}.gz in {folder}")
    splits = [paths[TRAIN_IMAGES], paths[TRAIN_LABELS]], [paths[TEST_IMAGES], paths[TEST_LABELS]]
    return PendingDataset(
        name=source.facts.title,
        count=sum(count_images(source, *split) for split in splits),
        shape=(FILE_SIZE, FILE_SIZE, source.facts.channels),
        read=lambda: Dataset(
            *(read_split(source, *split) for split in splits),
            class_names=source.class_names,
            origin=f"{source.facts.title} from {folder}",
        ),
    )


def download_missing(source: Source, folder: Path, quiet: bool) -> None:
    """Downloads the IDX files that are missing in `folder`."""
    for name in FILES:
        if find_file(folder, name) is None:
            path = folder / f"{name}.gz"
            with download_errors(source.facts, path):
                download(f"{source.url}{path.name}", source.md5[name], path, quiet)


def find_file(folder: Path, name: str) -> Path | None:
    """Returns the path of an IDX file, gzipped or not; None if there is neither."""
    paths = (folder / f"{name}.gz", folder / name)
    return next((path for path in paths if path.is_file()), None)


def count_images(source: Source, images_path: Path, labels_path: Path) -> int:
    """Returns the number of a split's images, from the headers of its two IDX files.

    Raises:
        RequestError: a file is damaged, or the two do not belong together.
    """
    images, height, width = read_shape(images_path, dimensions=3)
    (labels,) = read_shape(labels_path, dimensions=1)
    if (height, width) != (FILE_SIZE, FILE_SIZE):
        raise RequestError(
            f"{images_path}: its images are {height}×{width} pixels, expected "
            f"{FILE_SIZE}×{FILE_SIZE}; is it a file of {source.facts.title}?"
        )
    if images != labels:
        raise RequestError(
            f"{labels_path}: {labels} labels for the {images} images of {images_path.name}; the "
            "two files do not belong together, fetch them again"
        )
    return images


def read_split(source: Source, images_path: Path, labels_path: Path) -> Split:
    """Reads a split from its two IDX files.

    Raises:
        RequestError: a file is damaged, or a label is out of range.
    """
    images = read_idx(images_path, dimensions=3)
    labels = read_idx(labels_path, dimensions=1)
    with read_errors(labels_path):
        check_labels(labels, source.class_names)
    return Split(images=images[..., np.newaxis], labels=labels.astype(np.int32))
