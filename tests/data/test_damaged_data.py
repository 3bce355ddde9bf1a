"""Damaged data of each kind, and what the real command says to it."""

import pytest

from tests.support.command import one_line, run_command
from tests.support.datasets import write_cifar10, write_kaggle, write_mnist, write_omniglot


def broken_mnist(folder):
    path = write_mnist(folder / "mnist") / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    return path


def broken_labels(folder):
    path = write_kaggle(folder / "dogs") / "labels.csv"
    path.write_bytes(path.read_bytes() + b"../../x,beagle\n")
    return path


def broken_cifar(folder):
    path = write_cifar10(folder / "cifar-10-batches-bin") / "test_batch.bin"
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    return path


def broken_omniglot(folder):
    path = write_omniglot(folder / "omniglot") / "images_evaluation.zip"
    path.write_bytes(path.read_bytes()[:-30])
    return path


@pytest.mark.parametrize(
    ("task", "write"),
    [
        ("id", broken_mnist),
        ("dog", broken_labels),
        ("cifar10", broken_cifar),
        ("omniglot", broken_omniglot),
    ],
)
def test_it_is_refused_in_one_line(tmp_path, task, write):
    path = write(tmp_path / "data")
    result = run_command(
        *("--tasks", task, "--data-dir", tmp_path / "data", "--log-dir", tmp_path / "log"),
        *("--max-steps", 1, "--network", "fc", "--quiet"),
    )
    assert result.returncode == 2
    assert one_line(result).startswith(f"task.py: error: {path}")


def test_a_broken_cache_is_made_anew(tmp_path):
    path = tmp_path / "my.npz"
    path.write_bytes(b"PK\x03\x04" + bytes(1000))
    write_kaggle(tmp_path / "data" / "dogs")
    result = run_command(
        *("--tasks", "dog", "--data-dir", tmp_path / "data", "--log-dir", tmp_path / "log"),
        *("--max-steps", 1, "--network", "fc", "--quiet", "--pickle-file", path, "--use-pickle"),
    )
    assert result.returncode == 0
    assert result.stderr.startswith(f"note: {path} cannot be used: damaged (")
    assert result.stderr.count("\n") == 1
