"""Data and an undisturbed sweep that the tests of sweeps share."""

from pathlib import Path

import pytest

from tests.support.datasets import write_mnist
from tests.support.sweeping import Lines, metrics_of, sweep_here


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with tiny digits."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    return base


@pytest.fixture(scope="session")
def whole(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """The metrics of an undisturbed sweep of longer runs."""
    base = tmp_path_factory.mktemp("whole")
    assert sweep_here(data_dir, base, "--max-steps", "400").returncode == 0
    return metrics_of(base)
