"""MNIST and Fashion-MNIST, each from its four IDX files.

LeCun, Cortes, Burges: The MNIST database, 1998. Xiao, Rasul, Vollgraf: Fashion-MNIST, 2017.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.class_names import DIGITS, FASHION
from data.dataset import Dataset, Found, Split
from data.download import cache_folder, download
from data.idx import read_idx, read_shape
from errors import RequestError

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
# The height and width of the images in the files, in pixels.
FILE_SIZE = 28


@dataclass(frozen=True)
class Source:
    """One of the datasets that come in these four files."""

    name: str
    folder: str  # in DATA_DIR and in the cache folder
    bare: bool  # whether the files may lie in DATA_DIR itself
    drawn: bool  # whether --fake-data has pictures to take their place
    class_names: tuple[str, ...]
    url: str  # of the folder that has the files
    md5: dict[str, str]  # of each file as that folder has it, gzipped


MNIST = Source(
    name="MNIST",
    folder="mnist",
    bare=True,
    drawn=True,
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
    name="Fashion-MNIST",
    folder="fashion-mnist",
    bare=False,  # or MNIST's own files would be taken for it
    drawn=False,
    class_names=FASHION,
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    md5={
        TRAIN_IMAGES: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        TRAIN_LABELS: "25c81989df183df01b3e8a0aad5dffbe",
        TEST_IMAGES: "bef4ecab320f06d8554ea6380940ec79",
        TEST_LABELS: "bb300cfdad3c16e7a12a480ee83cd310",
    },
)


def find(source: Source, data_dir: Path | None, quiet: bool = False) -> Found:
    """The dataset in its folder in `data_dir`; with None in the cache, downloaded if need be.

    Its four files are found and their headers checked. Its images are [N, 28, 28, 1] uint8, its
    labels [N] int32.

    Raises:
        RequestError: files are missing or damaged, or the download failed.
    """
    if data_dir is None:
        folder = cache_folder() / source.folder
        download_missing(source, folder, quiet)
    else:
        folder = data_dir / source.folder
        if source.bare and not folder.is_dir():
            folder = data_dir
    paths = {name: find_file(folder, name) for name in FILES}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        wanted = "its four IDX files" if source.bare else f"{source.folder}/ with its IDX files"
        ways = ways_out(
            source,
            f"name the folder that holds {wanted} with --data-dir",
            "leave --data-dir out to download them",
        )
        raise RequestError(
            f"{source.name} not found: looked in {folder} for {missing[0]} or {missing[0]}.gz; "
            f"{ways}"
        )
    splits = [paths[TRAIN_IMAGES], paths[TRAIN_LABELS]], [paths[TEST_IMAGES], paths[TEST_LABELS]]
    return Found(
        name=source.name,
        images=sum(count_images(source, *split) for split in splits),
        shape=(FILE_SIZE, FILE_SIZE, 1),
        read=lambda: Dataset(
            *(read_split(source, *split) for split in splits),
            class_names=source.class_names,
            origin=f"{source.name} from {folder}",
        ),
    )


def download_missing(source: Source, folder: Path, quiet: bool) -> None:
    """Fetches the IDX files that `folder` lacks."""
    for name in FILES:
        if find_file(folder, name) is not None:
            continue
        try:
            download(f"{source.url}{name}.gz", source.md5[name], folder / f"{name}.gz", quiet)
        except RequestError as error:
            ways = ways_out(
                source, "name a folder that has it with --data-dir", "connect to a network"
            )
            raise RequestError(
                f"{source.name} not found: looked for {name}.gz in {folder}, and {error}; {ways}"
            ) from error


def ways_out(source: Source, first: str, second: str) -> str:
    """Two things to do where files are missing, and the third where there is one."""
    return f"{first}, {second}, or use --fake-data" if source.drawn else f"{first}, or {second}"


def find_file(folder: Path, name: str) -> Path | None:
    """The IDX file of that name, gzipped or not; None where there is neither."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    return None


def count_images(source: Source, images_path: Path, labels_path: Path) -> int:
    """How many images a split has, from the headers of its two IDX files.

    Raises:
        RequestError: a file is damaged, or the two do not belong together.
    """
    images, height, width = read_shape(images_path, dimensions=3)
    (labels,) = read_shape(labels_path, dimensions=1)
    if (height, width) != (FILE_SIZE, FILE_SIZE):
        raise RequestError(
            f"{images_path}: its images are {height}×{width} pixels, expected "
            f"{FILE_SIZE}×{FILE_SIZE}; is it a file of {source.name}?"
        )
    if images != labels:
        raise RequestError(
            f"{labels_path}: {labels} labels for the {images} images of {images_path.name}; the "
            "two files do not belong together, fetch them again"
        )
    return images


def read_split(source: Source, images_path: Path, labels_path: Path) -> Split:
    """A split from its two IDX files.

    Raises:
        RequestError: a file is damaged, or has a label that is none.
    """
    images = read_idx(images_path, dimensions=3)
    labels = read_idx(labels_path, dimensions=1)
    most = len(source.class_names) - 1
    if labels.max() > most:
        raise RequestError(
            f"{labels_path}: label {labels.max()}, expected 0 to {most}; fetch it again"
        )
    return Split(images=images[..., np.newaxis], labels=labels.astype(np.int32))
