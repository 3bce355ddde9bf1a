"""The real command refuses damaged data of each kind, and rebuilds a damaged cache."""

import pytest

from tests.support.command import one_line, run_command
from tests.support.datasets import write_kaggle


@pytest.mark.parametrize(
    ("task", "name", "damage"),
    [
        ("id", "mnist/t10k-labels-idx1-ubyte", lambda sound: sound[:-1]),
        ("dog", "dogs/labels.csv", lambda sound: sound + b"../../x,beagle\n"),
        ("cifar10", "cifar-10-batches-bin/test_batch.bin", lambda sound: b"\xff" + sound[1:]),
        ("omniglot", "omniglot/images_evaluation.zip", lambda sound: sound[:-30]),
    ],
)
def test_it_is_refused_in_one_line(every_data_dir, tmp_path, task, name, damage):
    path = every_data_dir / name
    path.write_bytes(damage(path.read_bytes()))
    result = run_command(
        *("--tasks", task, "--data-dir", every_data_dir, "--log-dir", tmp_path / "log"),
        *("--max-steps", 1, "--network", "fc", "--quiet"),
    )
    assert result.returncode == 2
    assert one_line(result).startswith(f"task.py: error: {path}")


def test_a_damaged_cache_is_rebuilt(tmp_path):
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
