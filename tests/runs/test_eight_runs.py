"""Eight runs at once in one --log-dir, of which several make the same data ready at once."""

import io
import json
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

import pytest
from PIL import Image

from data import dogs
from data.download import cache_folder
from settings import DataSettings
from tests.support.command import ROOT
from tests.support.datasets import write_kaggle, write_mnist
from tests.support.reading import read_metrics
from tests.support.serving import PATIENCE, archive, everything_under, remote

# The command, as if the data's own hosts were another.
PROGRAM = """
import json, sys
from dataclasses import replace
from data import dogs, download, mnist
from task import main

download.PAUSES, download.TIMEOUT = (0.1, 0.1), {patience}
archive, url, contents = json.loads({hosts!r})
dogs.ARCHIVE = download.RemoteFile(*archive)
mnist.MNIST = replace(mnist.MNIST, url=url, contents=contents)
sys.exit(main(sys.argv[1:]))
"""
TINY = (
    *("--network", "fc", "--max-steps", 5, "--task-time", 2, "--test-frequency", 2),
    *("--batch", 5, "--threads", 1, "--quiet"),
)
WOOF = "imagewoof2-160.tgz"
DOWNLOADING = ("--tasks", "dog", "id")


@pytest.fixture
def start(host, tmp_path):
    """Starts a run with some flags, whose data is on the host."""
    served = write_mnist(tmp_path / "served", suffix=".gz")
    host.files |= {path.name: path.read_bytes() for path in served.iterdir()}
    host.files[WOOF] = woof()
    remotes = {name: remote(host.url(name), each) for name, each in host.files.items()}
    contents = {name.removesuffix(".gz"): facts[1:] for name, facts in remotes.items()}
    hosts = json.dumps([remotes[WOOF], host.url(""), contents])
    program = PROGRAM.format(hosts=hosts, patience=PATIENCE)

    def start_one(*flags: object) -> subprocess.Popen:
        command = [sys.executable, "-c", program, *map(str, (*flags, *TINY))]
        return subprocess.Popen(
            [*command, "--log-dir", str(tmp_path / "log")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start_one


def woof() -> bytes:
    """A tiny Imagewoof."""
    members = {}
    for place, breed in enumerate(("n02115641", "n02088364")):
        for split in ("train", "val"):
            for number in range(5):
                buffer = io.BytesIO()
                Image.new("RGB", (40, 30), (90 * place, 20 * number, 200)).save(buffer, "JPEG")
                members[f"imagewoof2-160/{split}/{breed}/{number}.JPEG"] = buffer.getvalue()
    return archive(members)


def end(process: subprocess.Popen) -> tuple[int, list[str]]:
    """Waits until it ends: its exit code, and the lines that it wrote to stderr."""
    _, errors = process.communicate(timeout=4 * PATIENCE)
    return process.returncode, errors.splitlines()


def test_eight_runs_at_once(start, host, tmp_path):
    # What three runs ask for is sent once all three have asked, and not to all of them as it is.
    for path, faults in ((WOOF, ["wrong", "breaks off"]), ("train-images-idx3-ubyte.gz", ["503"])):
        host.gates[path], host.faults[path] = threading.Barrier(3), faults
    write_mnist(tmp_path / "data" / "mnist")
    write_kaggle(tmp_path / "data" / "dogs")
    local = ("--data-dir", tmp_path / "data")
    runs = [
        *(start(*DOWNLOADING, "--seed", seed) for seed in (0, 0, 1)),
        *(start("--tasks", "dog", *local, "--seed", seed) for seed in (0, 0, 1)),
        *(start("--tasks", "id", *local, "--seed", seed) for seed in (0, 0)),
    ]
    ends = [end(run) for run in runs]
    assert [code for code, _ in ends] == [0] * 8, ends
    causes = sorted(line.partition(" failed: ")[2] for _, lines in ends for line in lines)
    assert [line.partition(":")[0] for line in causes] == [
        "HTTP Error 503",
        "retrieval incomplete",
        "wrong checksum",
    ]
    check_runs(tmp_path / "log")
    check_caches(tmp_path)


def check_runs(log_dir: Path) -> None:
    """There are eight whole runs, and equal flags have made equal metrics."""
    folders = [path.parent for path in log_dir.rglob("config.json")]
    metrics = defaultdict(list)
    for folder in folders:
        settings = json.loads((folder / "config.json").read_text())["settings"]
        assert [line["step"] for line in read_metrics(folder)] == [0, 2, 4, 5]
        assert json.loads((folder / "summary.json").read_text())["step"] == 5
        alike = (*settings["tasks"], settings["seed"])
        metrics[alike].append((folder / "metrics.jsonl").read_bytes())
    assert {alike: len(each) for alike, each in metrics.items()} == {
        ("dog", "id", 0): 2,
        ("dog", "id", 1): 1,
        ("dog", 0): 2,
        ("dog", 1): 1,
        ("id", 0): 2,
    }
    assert all(len(set(each)) == 1 for each in metrics.values())
    assert len({each[0] for each in metrics.values()}) == 5


def check_caches(folder: Path) -> None:
    """Checks that the caches hold the downloaded and decoded files whole, and nothing else."""
    cache = cache_folder()
    assert sorted(path.name for path in cache.iterdir()) == ["dogs", "mnist"]
    assert len(everything_under(cache / "mnist")) == 4
    hidden = [path for path in folder.rglob(".*") if path.is_relative_to(folder / "data")]
    hidden += list(cache.rglob(".*"))
    assert hidden == []
    for photographs, count in ((cache / "dogs", 10), (folder / "data" / "dogs", 27)):
        file = photographs / "dogs-28px.npz"
        settings = DataSettings(data_dog_dir=photographs, pickle_file=file, use_pickle=True)
        stored = dogs.find(settings, 28).read()
        assert len(stored.train.labels) == count


def test_a_host_that_always_has_something_else(start, host, tmp_path):
    host.faults[WOOF] = ["wrong"] * 3
    code, lines = end(start(*DOWNLOADING))
    assert code == 2
    assert len(lines) == 3
    assert all("failed: wrong checksum: " in line and "md5" in line for line in lines)
    assert [line.partition(":")[0] for line in lines] == ["note", "note", "task.py"]
    assert not (tmp_path / "log").exists()
    assert everything_under(cache_folder()) == []
