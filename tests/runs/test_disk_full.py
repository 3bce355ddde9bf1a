"""A disk that is full, and a folder that is gone: told in a line, and what was saved goes on."""

import re
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.runs import runs_below
from tests.support.datasets import write_mnist
from tests.support.reading import only_run
from tests.support.running import all_of, end, start

STEPS = ("--max-steps", "1200", "--checkpoint-frequency", "300")
TINY = ("--tasks", "id", "noise", "--network", "fc", "--batch", "2", "--task-time", "10", *STEPS)
RARELY = "100000"
# Which file is the first to be written to once the disk is full. TensorFlow writes its own after
# every ten points.
FIRST = {
    "events.out.tfevents": ("--test-frequency", RARELY, "--train-summary-frequency", "1"),
    "metrics.jsonl": ("--test-frequency", "70", "--train-summary-frequency", RARELY),
    "checkpoints": ("--test-frequency", RARELY, "--train-summary-frequency", RARELY),
}
MIB = 1 << 20


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with a tiny MNIST."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    return base


class Disk:
    """A small disk of its own, where mounting is allowed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        mount = ("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder)
        self.mounted = subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self) -> None:
        """From now on nothing more can be written."""
        with (self.folder / "filling").open("wb", buffering=0) as file:
            for size in (MIB, 1024, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def make_room(self) -> None:
        """It can be written to again."""
        (self.folder / "filling").unlink(missing_ok=True)

    def remove(self) -> None:
        """Takes it away."""
        if self.mounted:
            subprocess.run(("umount", "-l", self.folder), check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that can be full."""
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.remove()


def fill(disk: Disk, file: str, process: subprocess.Popen) -> None:
    """Lets a file be the first that cannot be written.

    By a limit to the size of the process's files where there is no disk to fill, and for the
    metrics: some lines of these fit into what a full disk has set aside for their file already.
    """
    if disk.mounted and file != "metrics.jsonl":
        disk.fill()
    else:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


def wait_until_saved(process: subprocess.Popen, folder: Path) -> None:
    """Waits until a run below a folder has been saved for the first time, or has ended."""
    while process.poll() is None:
        (run,) = runs_below(folder)
        saved = run / "checkpoints" / "checkpoint"
        if saved.exists() and "ckpt-300" in saved.read_text():
            return
        time.sleep(0.01)


@pytest.mark.parametrize("file", FIRST)
def test_a_full_disk_is_told_and_what_was_saved_goes_on(file, disk, data_dir, tmp_path):
    flags = ("--data-dir", data_dir, *TINY, *FIRST[file])
    process = start(*flags, "--log-dir", disk.folder / "log", "--quiet")
    wait_until_saved(process, disk.folder)
    fill(disk, file, process)
    code, output, errors = end(process)
    assert (code, output) == (1, "")
    run = only_run(disk.folder)
    told = rf"task.py: failed: {run}/\S*{file}\S* cannot be written \((.*)\); make room .*"
    match = re.fullmatch(told + re.escape(f"python task.py --resume {run}\n"), errors)
    assert match, errors
    assert match[1] in ("No space left on device", "File too large")
    disk.make_room()
    assert end(start("--resume", run, "--quiet"))[::2] == (0, "")
    if file == "metrics.jsonl":  # for the others it is as for a run that is killed
        assert end(start(*flags, "--log-dir", tmp_path, "--quiet"))[::2] == (0, "")
        assert all_of(run) == all_of(only_run(tmp_path / "t_id_noise"))


def ending(process: subprocess.Popen) -> str:
    """The one line with which a run fails."""
    code, output, errors = end(process)
    assert (code, output) == (1, "")
    assert errors.count("\n") == 1
    return errors


def test_a_folder_that_is_gone_is_told(data_dir, tmp_path):
    # Nothing but a checkpoint is written until the end.
    flags = (*TINY, *FIRST["checkpoints"], "--log-dir", tmp_path, "--quiet")
    process = start("--data-dir", data_dir, *flags)
    wait_until_saved(process, tmp_path)
    run = only_run(tmp_path)
    run.rename(tmp_path / "elsewhere")
    told = ending(process)
    assert re.search(rf"failed: {run}/\S* cannot be written \(No such file or directory\)", told), (
        told
    )
    assert not run.exists()
    # It is not gone for good, and nothing of it was lost.
    assert end(start("--resume", tmp_path / "elsewhere", "--quiet"))[0] == 0


def test_a_disk_that_is_full_before_a_run_begins(disk, data_dir):
    if not disk.mounted:
        pytest.skip("needs a disk of its own")
    disk.fill()
    code, output, errors = end(start("--data-dir", data_dir, *TINY, "--log-dir", disk.folder))
    assert (code, output) == (2, "")
    assert errors.startswith("task.py: error: --log-dir: ")
    assert "No space left on device" in errors
    assert [path.name for path in disk.folder.rglob("*") if path.is_file()] == ["filling"]
