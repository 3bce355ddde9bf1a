"""MNIST and Fashion-MNIST, each from its four IDX files.

LeCun, Cortes, Burges: The MNIST database, 1998. Xiao, Rasul, Vollgraf: Fashion-MNIST, 2017.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.catalog import CATALOG, DatasetFacts
from data.class_names import DIGITS, FASHION
from data.dataset import Dataset, PendingDataset, Split
from data.download import RemoteFile, dataset_folder, download, not_found
from data.files import check_labels, read_errors
from data.idx import open_idx, read_idx

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
    contents: dict[str, tuple[int, str]]  # bytes and md5 of each file as downloaded, gzipped


MNIST = Source(
    facts=CATALOG["mnist"],
    in_data_dir=True,
    class_names=DIGITS,
    url="https://storage.googleapis.com/cvdf-datasets/mnist/",
    contents={
        TRAIN_IMAGES: (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        TRAIN_LABELS: (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        TEST_IMAGES: (1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
        TEST_LABELS: (4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    },
)
FASHION_MNIST = Source(
    facts=CATALOG["fashion-mnist"],
    in_data_dir=False,  # or MNIST's own files would be taken for it
    class_names=FASHION,
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    contents={
        TRAIN_IMAGES: (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        TRAIN_LABELS: (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        TEST_IMAGES: (4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
        TEST_LABELS: (5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
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
    if source.in_data_dir and data_dir is not None and not folder.is_dir():
        folder = data_dir
    paths = [find_file(folder, name) for name in FILES]
    for name, path in zip(FILES, paths, strict=True):
        if not path.exists():
            if data_dir is not None:
                raise not_found(source.facts, f"{name} or {path.name} in {folder}")
            wanted = RemoteFile(f"{source.url}{path.name}", *source.contents[name])
            download(source.facts, wanted, path, quiet)
    splits = paths[:2], paths[2:]
    return PendingDataset(
        name=source.facts.title,
        count=sum(count_images(*split) for split in splits),
        shape=(FILE_SIZE, FILE_SIZE, source.facts.channels),
        read=lambda: Dataset(
            *(read_split(source, *split) for split in splits),
            class_names=source.class_names,
            origin=f"{source.facts.title} from {folder}",
        ),
    )


def find_file(folder: Path, name: str) -> Path:
    """Returns the path of an IDX file, gzipped unless there is only one that is not."""
    gzipped, plain = folder / f"{name}.gz", folder / name
    return plain if plain.exists() and not gzipped.exists() else gzipped


def count_images(images_path: Path, labels_path: Path) -> int:
    """Returns the number of a split's images, from the headers of its two IDX files.

    Raises:
        RequestError: a file is damaged, or the two do not belong together.
    """
    with open_idx(images_path, dimensions=3) as (_, (count, *size)):
        if size != [FILE_SIZE, FILE_SIZE]:
            raise ValueError(
                f"its images are {size[0]}×{size[1]} pixels, expected {FILE_SIZE}×{FILE_SIZE}"
            )
    with open_idx(labels_path, dimensions=1) as (_, (labels,)):
        if labels != count:
            raise ValueError(f"it has {labels} labels for the {count} images of {images_path.name}")
    return count


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
