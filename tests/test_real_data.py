"""The program on MNIST and on photographs of dogs, where they are at hand."""

import pytest

from tests.support.command import ROOT, run_here
from tests.support.reading import only_run, read_json

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DATA / "mnist").is_dir(),
    reason=f"no real data: put MNIST and dogs into {DATA} (the manual's page on data says whence)",
)


def test_mnist_is_learned(tmp_path):
    result = run_here(
        *("--data-dir", DATA, "--log-dir", tmp_path, "--tasks", "id", "--max-steps", "500"),
        *("--test-frequency", "500", "--quiet"),
    )
    assert result.returncode == 0, result.stderr
    folder = only_run(tmp_path)
    assert read_json(folder / "summary.json")["tasks"][0]["final"] >= 0.95
    data = read_json(folder / "config.json")["data"]["mnist"]
    assert (data["train"], data["test"]) == (60_000, 10_000)


def test_photographs_are_read(tmp_path):
    result = run_here(
        *("--data-dir", DATA, "--log-dir", tmp_path, "--tasks", "dog", "--max-steps", "10"),
        *("--quiet", "--pickle-file", tmp_path / "dogs.npz"),
    )
    assert result.returncode == 0, result.stderr
    data = read_json(only_run(tmp_path) / "config.json")["data"]["dogs"]
    assert (data["train"], data["test"]) == (1_350, 150)
    assert data["classes"][0] == "australian_terrier"
