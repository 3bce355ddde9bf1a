"""The program on real MNIST and real photographs, where they are at hand."""

import json

import pytest

from tests.support.command import ROOT, run_command
from tests.support.reading import only_run

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DATA / "mnist").is_dir(),
    reason=f"no real data: put MNIST and dogs into {DATA} (see the README on where to get them)",
)


def test_mnist_is_learned(tmp_path):
    result = run_command(
        *("--data-dir", DATA, "--log-dir", tmp_path, "--tasks", "id", "--max-steps", "500"),
        *("--test-frequency", "500", "--quiet"),
    )
    assert result.returncode == 0, result.stderr
    folder = only_run(tmp_path)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["tasks"][0]["final"] >= 0.95
    config = json.loads((folder / "config.json").read_text())
    assert (config["data"]["mnist"]["train"], config["data"]["mnist"]["test"]) == (60_000, 10_000)


def test_real_photographs_are_read(tmp_path):
    result = run_command(
        *("--data-dir", DATA, "--log-dir", tmp_path, "--tasks", "dog", "--max-steps", "10"),
        *("--quiet", "--pickle-file", tmp_path / "dogs.npz"),
    )
    assert result.returncode == 0, result.stderr
    data = json.loads((only_run(tmp_path) / "config.json").read_text())["data"]["dogs"]
    assert (data["train"], data["test"]) == (1_350, 150)
    assert data["classes"][0] == "australian_terrier"
