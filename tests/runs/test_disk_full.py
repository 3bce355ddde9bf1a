"""A full disk and a missing folder: an error of one line, and the run resumes afterwards."""

import re
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.folder import runs_below
from tests.support.command import run_here
from tests.support.reading import only_run, read_log
from tests.support.running import end, start

TINY = (
    *("--tasks", "id", "noise", "--network", "fc", "--batch", "2", "--task-time", "10", "--quiet"),
    *("--no-test-at-switches", "--max-steps", "1200", "--checkpoint-frequency", "300"),
)
RARELY = "100000"
# The file that is the first to be written to once the disk is full. TensorFlow writes its own after
# every ten points.
FIRST = {
    "events.out.tfevents": ("--test-frequency", RARELY, "--train-summary-frequency", "1"),
    "metrics.jsonl": ("--test-frequency", "70", "--train-summary-frequency", RARELY),
    "checkpoints": ("--test-frequency", RARELY, "--train-summary-frequency", RARELY),
}
MIB = 1 << 20


class Disk:
    """A small disk of its own, where mounting is allowed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        mount = ("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder)
        self.mounted = subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self) -> None:
        """Fills the disk, so that nothing more can be written."""
        with (self.folder / "filling").open("wb", buffering=0) as file:
            for size in (MIB, 1024, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that can be filled."""
    disk = Disk(tmp_path / "disk")
    yield disk
    if disk.mounted:
        subprocess.run(("umount", "-l", disk.folder), check=True)


def fill(disk: Disk, file: str, process: subprocess.Popen) -> None:
    """Makes a file of a process the first that cannot be written.

    Where there is no disk to fill, and for the metrics, it limits the size of the process's files:
    some lines of metrics fit into what a full disk has already set aside for their file.
    """
    if disk.mounted and file != "metrics.jsonl":
        disk.fill()
    else:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


def wait_for_checkpoint(process: subprocess.Popen, folder: Path) -> None:
    """Waits until a run below a folder has its first checkpoint, or has ended."""
    while process.poll() is None:
        (run,) = runs_below(folder)
        saved = run / "checkpoints" / "checkpoint"
        if saved.exists() and "ckpt-300" in saved.read_text():
            return
        time.sleep(0.01)


def failure(process: subprocess.Popen) -> str:
    """Waits until a run fails, and returns its error of one line."""
    code, output, errors = end(process)
    assert (code, output) == (1, "")
    assert errors.count("\n") == 1
    return errors


@pytest.mark.parametrize("file", FIRST)
def test_a_full_disk_is_reported_and_the_run_resumes(file, disk, data_dir, tmp_path):
    flags = ("--data-dir", data_dir, *TINY, *FIRST[file])
    process = start(*flags, "--log-dir", disk.folder / "log")
    wait_for_checkpoint(process, disk.folder)
    fill(disk, file, process)
    error = failure(process)
    run = only_run(disk.folder)
    message = rf"task.py: failed: {run}/\S*{file}\S* cannot be written \((.*)\); make room .*"
    match = re.fullmatch(message + re.escape(f"python task.py --resume {run}\n"), error)
    assert match, error
    assert match[1].startswith(("No space left on device", "File too large"))
    (disk.folder / "filling").unlink(missing_ok=True)
    assert run_here("--resume", run).returncode == 0
    if file == "metrics.jsonl":  # the others are resumed as a run that was killed
        assert run_here(*flags, "--log-dir", tmp_path).returncode == 0
        assert read_log(run) == read_log(only_run(tmp_path / "t_id_noise"))


def test_a_missing_folder_is_reported(data_dir, tmp_path):
    # Nothing but checkpoints is written until the end.
    flags = (*TINY, *FIRST["checkpoints"], "--log-dir", tmp_path)
    process = start("--data-dir", data_dir, *flags)
    wait_for_checkpoint(process, tmp_path)
    run = only_run(tmp_path)
    run.rename(tmp_path / "elsewhere")
    error = failure(process)
    message = rf"failed: {run}/\S* cannot be written \(No such file or directory\)"
    assert re.search(message, error), error
    assert not run.exists()
    # It was only moved, and has lost nothing.
    assert run_here("--resume", tmp_path / "elsewhere").returncode == 0


def test_a_disk_that_is_full_before_a_run_begins(disk, data_dir):
    if not disk.mounted:
        pytest.skip("needs a disk of its own")
    disk.fill()
    result = run_here("--data-dir", data_dir, *TINY, "--log-dir", disk.folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("task.py: error: --log-dir: ")
    assert "No space left on device" in result.stderr
    assert [path.name for path in disk.folder.rglob("*") if path.is_file()] == ["filling"]
