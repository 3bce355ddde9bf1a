"""A run's folder with a damaged file: it goes on from something sound, or says what is wrong."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs.describe import describe_run, taken_up
from settings.checks import chosen_tasks

from data.loading import load_datasets
from runs.log import cut_back
from settings import parse_flags
from tests.support.command import run_command
from tests.support.datasets import write_mnist
from tests.support.fuzzing import cases, damaged, outcome, put, snapshot
from tests.support.reading import only_run, read_metrics
from training.trainer import Trainer

FLAGS = (
    *(
        "--tasks",
        "id",
        "--filters",
        "2",
        "--batch",
        "5",
        "--optimizer",
        "adam",
        "--max-steps",
        "10",
    ),
    *("--test-frequency", "3", "--train-summary-frequency", "3", "--checkpoint-frequency", "4"),
)
SAVED = (8, 10)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed after its last checkpoint."""
    base = tmp_path_factory.mktemp("run")
    write_mnist(base / "data" / "mnist")
    result = run_command("--data-dir", base / "data", "--log-dir", base / "log", *FLAGS)
    assert result.returncode == 0, result.stderr
    run = only_run(base / "log")
    (run / "summary.json").unlink()
    return run


class Resumption:
    """Takes runs up as the command does, all but the training, with one network for all."""

    def __init__(self, run: Path) -> None:
        settings = parse_flags(["--resume", str(run)])
        tasks = chosen_tasks(settings)
        datasets = load_datasets(["mnist"], settings)
        self.trainer = Trainer(settings, tasks, datasets)
        self.config = describe_run(self.trainer, tasks, datasets, "CPU")

    def __call__(self, run: Path) -> tuple[int, list[dict], list[np.ndarray]]:
        """The step, the history, and all that was learned."""
        trainer = self.trainer
        trainer.step, trainer.history = 0, []
        trainer.settings = parse_flags(["--resume", str(run)])
        lengths = trainer.take_up(run)
        taken_up(run, self.config, trainer.step)
        cut_back(run, trainer.step, lengths or {}, trainer.history)
        learned = [
            v.numpy()
            for part in (trainer.network.trunk, *trainer.network.heads)
            for v in part.variables
        ]
        return trainer.step, trainer.history, learned


def test_a_damaged_file(run, tmp_path):
    resume, names = (
        Resumption(run),
        sorted(p.relative_to(run) for p in run.rglob("*") if p.is_file()),
    )
    expected = {}
    for step in SAVED[::-1]:
        copy = Path(shutil.copytree(run, tmp_path / f"sound-{step}"))
        for later in (s for s in SAVED if s > step):
            (copy / "checkpoints" / f"ckpt-{later}.index").unlink()
        expected[step] = resume(copy)
        assert expected[step][:2] == (step, read_metrics(copy))
    home = tmp_path / "a" / "home"
    home.mkdir(parents=True)

    @cases(250)
    @given(st.data())
    def check(data):
        shutil.rmtree(home / "run", ignore_errors=True)
        copy = Path(shutil.copytree(run, home / "run"))
        path = copy / data.draw(st.sampled_from(names))
        # What a run only writes is no folder: that fails like a disk that is full.
        read = path.name == "config.json" or path.name.startswith("ckpt-")
        folder = read and data.draw(st.integers(0, 19)) == 7
        put(path, None if folder else data.draw(damaged(path.read_bytes() or b"\0")))
        before = snapshot(tmp_path)
        result, said = outcome(lambda: resume(copy))
        if result is not None:
            step, history, learned = result
            assert history == expected[step][1] == read_metrics(copy)
            for found, sound in zip(learned, expected[step][2], strict=True):
                np.testing.assert_array_equal(found, sound)
            assert re.fullmatch(r"(note: .*\n)*", said)
        after = snapshot(tmp_path)
        changed = {each for each in before | after if before.get(each, 0) != after.get(each, 0)}
        assert all(str(each).startswith(str(copy)) for each in changed)

    check()
