"""Data that the tests of runs share."""

from pathlib import Path

import pytest

from tests.support.datasets import write_fashion, write_mnist


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with tiny digits and clothes."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    write_fashion(base / "fashion-mnist")
    return base
