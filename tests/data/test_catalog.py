"""The catalog of datasets, and the errors for data that is missing."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from data import cifar, dogs, mnist, omniglot
from data.catalog import CATALOG
from data.download import RemoteFile, cache_folder
from data.loading import find
from errors import RequestError
from settings import DataSettings
from tests.support.command import ROOT
from tests.support.datasets import load_tiny
from tests.support.serving import everything_under

IMAGES = mnist.TRAIN_IMAGES
# For each dataset: what is looked for in DATA_DIR and in the cache folder, and the advice.
MISSING = {
    "mnist": (f"{IMAGES} or {IMAGES}.gz in %s", f"%s/mnist/{IMAGES}.gz", "mnist/ with --data-dir"),
    "fashion-mnist": (
        f"{IMAGES} or {IMAGES}.gz in %s/fashion-mnist",
        f"%s/fashion-mnist/{IMAGES}.gz",
        "fashion-mnist/ with --data-dir",
    ),
    "dogs": ("%s/dogs", "%s/dogs", "them with --data-dog-dir"),
    "cifar10": (
        "%s/cifar-10-batches-bin/data_batch_1.bin",
        "%s/cifar-10-batches-bin",
        "cifar-10-batches-bin/ with --data-dir",
    ),
    "cifar100": (
        "%s/cifar-100-binary/train.bin",
        "%s/cifar-100-binary",
        "cifar-100-binary/ with --data-dir",
    ),
    "omniglot": (
        "zip files or folders with <alphabet>/characterNN/<name>.png in %s/omniglot",
        "%s/omniglot/images_background.zip",
        "omniglot/ with --data-dir",
    ),
}


def test_every_dataset_has_a_loader(every_data_dir):
    drawn = DataSettings(fake_data=True)
    for name, facts in CATALOG.items():
        assert find(name, DataSettings(every_data_dir), 28, quiet=True).count > 0
        if facts.can_be_drawn:
            assert find(name, drawn, 28, quiet=True).name.startswith("drawn ")
        else:
            with pytest.raises(KeyError):
                find(name, drawn, 28, quiet=True)
    assert list(CATALOG) == list(MISSING)


def test_the_catalog_imports_nothing_slow():
    program = "import sys; import data.catalog; print(sorted({'numpy', 'PIL'} & {*sys.modules}))"
    output = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert output == "[]\n"


def check_error(name, data_dir, wanted, advice):
    """Checks the whole error for a dataset that is missing."""
    with pytest.raises(RequestError) as error:
        load_tiny([name], data_dir)
    drawn = name in ("mnist", "dogs")
    assert re.fullmatch(
        f"{CATALOG[name].title} not found: looked for {wanted}; name the folder that holds "
        f"{MISSING[name][2]}, {'' if drawn else 'or '}{advice}{', or use --fake-data' * drawn}",
        str(error.value),
    ), error.value


@pytest.mark.parametrize("name", MISSING)
def test_missing_files(tmp_path, name):
    wanted = re.escape(MISSING[name][0] % tmp_path)
    check_error(name, tmp_path, wanted, "leave --data-dir out to download the data")


@pytest.mark.parametrize("name", MISSING)
def test_a_failed_download(host, monkeypatch, name):
    url = host.url("nothing")
    archive = RemoteFile(url, 0, "")
    for module, source, there in (
        (mnist, "MNIST", {"url": url}),
        (mnist, "FASHION_MNIST", {"url": url}),
        (cifar, "CIFAR_10", {"archive": archive}),
        (cifar, "CIFAR_100", {"archive": archive}),
    ):
        monkeypatch.setattr(module, source, replace(getattr(module, source), **there))
    monkeypatch.setattr(dogs, "ARCHIVE", archive)
    monkeypatch.setattr(omniglot, "URL", url)
    wanted = re.escape(MISSING[name][1] % cache_folder())
    reason = r"and downloading http://127\S+ failed: .*404.*"
    check_error(name, None, f"{wanted}, {reason}", "connect to a network")
    assert everything_under(cache_folder()) in ([], [name])
