"""Fixtures that all tests share."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from tests.support.datasets import (
    write_cifar10,
    write_cifar100,
    write_fashion,
    write_kaggle,
    write_mnist,
    write_omniglot,
)
from tests.support.serving import Host

# The tests are the same on a machine that has a GPU.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

# Under nohup, or as `pytest &` in a script, the programs under test would inherit ignored signals.
for number, handler in (
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGINT, signal.default_int_handler),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# Before any test is collected, so that hypothesis writes nothing into the tree.
HYPOTHESIS_HOME = TemporaryDirectory(prefix="hypothesis-")
set_hypothesis_home_dir(HYPOTHESIS_HOME.name)
# pytest --hypothesis-profile=long tries many times as many cases as usual.
settings.register_profile("long", max_examples=2500)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A --data-dir with a tiny MNIST and tiny dogs in it."""
    write_mnist(tmp_path / "data" / "mnist")
    write_kaggle(tmp_path / "data" / "dogs")
    return tmp_path / "data"


@pytest.fixture
def every_data_dir(data_dir: Path) -> Path:
    """A --data-dir with all six datasets in it, each tiny."""
    write_fashion(data_dir / "fashion-mnist")
    write_cifar10(data_dir / "cifar-10-batches-bin")
    write_cifar100(data_dir / "cifar-100-binary")
    write_omniglot(data_dir / "omniglot")
    return data_dir


@pytest.fixture(autouse=True)
def no_cache_of_the_users(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keeps the tests out of the user's own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Keras imports Matplotlib where there is one, which would list all fonts anew in every test.
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path_factory.getbasetemp() / "matplotlib"))


@pytest.fixture
def host() -> Iterator[Host]:
    """A host to download from, on loopback."""
    with Host() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
