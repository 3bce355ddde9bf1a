"""The program on MNIST and on photographs of dogs, where they are at hand."""

import pytest

from tests.support.command import ROOT, run_here
from tests.support.reading import only_run, read_json

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DATA / "mnist").is_dir(),
    reason=f"no real data: put MNIST and dogs into {DATA} (the manual's page on data says whence)",
)


def test_mnist_is_learned_and_photographs_are_read(tmp_path):
    result = run_here(
        *("--data-dir", DATA, "--log-dir", tmp_path, "--tasks", "id", "dog", "--task-time", "500"),
        *("--max-steps", "510", "--test-frequency", "510", "--quiet"),
        *("--pickle-file", tmp_path / "dogs.npz"),
    )
    assert result.returncode == 0, result.stderr
    folder = only_run(tmp_path)
    assert read_json(folder / "summary.json")["tasks"][0]["at_last_switch"] >= 0.95
    data = read_json(folder / "config.json")["data"]
    sizes = {name: (facts["train"], facts["test"]) for name, facts in data.items()}
    assert sizes == {"mnist": (60_000, 10_000), "dogs": (1_350, 150)}
    assert data["dogs"]["classes"][0] == "australian_terrier"
