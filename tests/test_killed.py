"""Runs that are killed or stopped at any moment, taken up, and then equal to one that never was."""

import signal
from pathlib import Path

import pytest
from conftest import write_mnist
from reading import only_run
from running import FLAGS, all_of, end, kill_at, signal_at, start


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with a tiny MNIST."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    return base


@pytest.fixture(scope="module")
def unbroken(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """All of a run that was left alone."""
    log_dir = tmp_path_factory.mktemp("unbroken")
    code, _, errors = end(start("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS))
    assert (code, errors) == (0, "")
    found = all_of(only_run(log_dir))
    assert len(found["train", "loss"]) == 200 // 7 + 1
    return found


def check_resumed(log_dir: Path, unbroken: dict) -> None:
    """Takes the one run in a --log-dir up, to its end, and compares."""
    run = only_run(log_dir)
    assert end(start("--resume", run))[::2] == (0, "")
    assert all_of(run) == unbroken
    assert (run / "summary.json").exists()
    assert not list(log_dir.rglob(".new-*"))


def check_killed(moment: int, log_dir: Path, data_dir: Path, unbroken: dict) -> None:
    """Kills a run at a moment, takes it up, and compares."""
    process = start("--data-dir", data_dir, "--log-dir", log_dir, *FLAGS)
    kill_at(process, log_dir, moment)
    check_resumed(log_dir, unbroken)


# In two classes, so that both of the default's test processes have a share.
class TestKilled:
    """Kill −9, and up again."""

    @pytest.mark.parametrize("moment", range(10))
    def test_equals_the_unbroken_run(self, moment, tmp_path, data_dir, unbroken):
        check_killed(moment, tmp_path, data_dir, unbroken)

    @pytest.mark.parametrize("moment", [100, 101, 102])
    def test_twice(self, moment, tmp_path, data_dir, unbroken):
        process = start("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS)
        kill_at(process, tmp_path, moment)
        kill_at(start("--resume", only_run(tmp_path)), tmp_path, moment + 10)
        check_resumed(tmp_path, unbroken)


class TestKilledOrStopped:
    """The other half of the moments, and signals that a run answers."""

    @pytest.mark.parametrize("moment", range(10, 20))
    def test_equals_the_unbroken_run(self, moment, tmp_path, data_dir, unbroken):
        check_killed(moment, tmp_path, data_dir, unbroken)

    @pytest.mark.parametrize(
        ("number", "code", "moment"),
        [
            (signal.SIGINT, 130, 200),
            (signal.SIGINT, 130, 201),
            (signal.SIGTERM, 143, 202),
            (signal.SIGTERM, 143, 203),
            (signal.SIGHUP, 129, 204),
        ],
    )
    def test_stopped(self, number, code, moment, tmp_path, data_dir, unbroken):
        process = start("--data-dir", data_dir, "--log-dir", tmp_path, *FLAGS, "--quiet")
        signal_at(process, tmp_path, moment, number)
        stopped, output, errors = end(process)
        assert (stopped, errors) == (code, "")
        run = only_run(tmp_path)
        assert output.endswith(f"go on with: python task.py --resume {run}\n")
        assert list((run / "checkpoints").glob("ckpt-*.index"))
        assert not (run / "summary.json").exists()
        check_resumed(tmp_path, unbroken)
