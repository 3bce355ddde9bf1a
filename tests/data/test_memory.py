"""Data that does not fit into memory is refused before it is read."""

import os
import re
import resource

import numpy as np
import pytest

from data import memory, mnist
from data.dataset import PendingDataset
from data.loading import find
from errors import RequestError
from settings import DataSettings
from tests.support.command import one_line, run_command
from tests.support.datasets import load_tiny, write_cifar10, write_idx, write_kaggle, write_mnist

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
V1 = "sys/fs/cgroup/memory"
# The system's files of some machines, and the limits that they state.
MACHINES = {
    "nothing known": ({}, []),
    "free memory": (
        {"proc/meminfo": "MemTotal:  900 kB\nMemFree:  1 kB\nMemAvailable:    123 kB\n"},
        [(123 * 1024, "on this machine")],
    ),
    "nested control groups": (
        {
            "proc/self/cgroup": "0::/outer/inner\n",
            "sys/fs/cgroup/outer/inner/memory.max": "max\n",
            "sys/fs/cgroup/outer/inner/memory.current": "10\n",
            "sys/fs/cgroup/outer/memory.max": "1000\n",
            "sys/fs/cgroup/outer/memory.current": "300\n",
            "sys/fs/cgroup/outer/memory.stat": "anon 9\ninactive_file 100\nactive_file 5\nfile 9\n",
            "sys/fs/cgroup/memory.max": "2000\n",
            "sys/fs/cgroup/memory.current": "100\n",
        },
        [(1000 - 300 + 100 + 5, "in this control group"), (1900, "in this control group")],
    ),
    "control groups of version 1": (  # as a container sees them
        {
            "proc/self/cgroup": "9:name=systemd:/\n4:memory:/a/b\n0::/\n",
            f"{V1}/memory.limit_in_bytes": "5000\n",
            f"{V1}/memory.usage_in_bytes": "2000\n",
            f"{V1}/memory.stat": "active_file 1\ntotal_inactive_file 20\ntotal_active_file 3\n",
        },
        [(3023, "in this control group")],
    ),
}
MALFORMED = ("", "\n", "garbage", "4:memory\n", "0::\n:::\n", "MemAvailable:")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The root folder of a machine that states no memory and has no limits."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: UNLIMITED)
    monkeypatch.setattr(os, "sysconf_names", {})
    return tmp_path / "root"


def limits(root, files):
    """Writes the system's files, and returns the limits that they state."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return list(memory.available(root))


@pytest.mark.parametrize("machine", MACHINES)
def test_limits(root, machine):
    files, expected = MACHINES[machine]
    assert limits(root, files) == expected


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_system_files(root, text):
    paths = ("proc/meminfo", "proc/self/cgroup", "sys/fs/cgroup/memory.max")
    assert limits(root, dict.fromkeys(paths, text)) == []


def test_installed_memory_without_proc(root, monkeypatch):
    pages = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf_names", pages)
    monkeypatch.setattr(os, "sysconf", pages.get)
    assert limits(root, {}) == [(4_096_000, "on this machine")]


def test_a_limit_of_address_space(root, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**9, resource.RLIM_INFINITY))
    left = 10**9 - 100 * resource.getpagesize()
    expected = [(left, "under the limit of `ulimit -v`")]
    assert limits(root, {"proc/self/statm": "100 50 7 1 0 9 0\n"}) == expected


def test_this_machine_has_a_known_limit():
    rooms = list(memory.available())
    assert rooms and all(room > 10**6 for room, _ in rooms)


def pending(count=100, shape=(28, 28, 1), name="MNIST"):
    """Returns a dataset that would fail if it were read."""
    return PendingDataset(name, count, shape, read=None)


def test_bytes_needed():
    # An array and a tensor at the final size, and two copies of the largest dataset's files.
    assert memory.bytes_needed([pending()], 10) == 2 * 100 * 10 * 10 + 2 * 100 * 28 * 28
    two = [pending(), pending(count=7, shape=(32, 32, 3))]
    assert memory.bytes_needed(two, 50) == 2 * 50 * 50 * (100 + 7 * 3) + 2 * 100 * 28 * 28


def test_without_known_limits_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: iter([]))
    memory.check([pending(count=10**12)], 1_000_000)


def test_memory_that_is_just_enough_and_one_byte_less(monkeypatch):
    needed = memory.bytes_needed([pending(), pending()], 28)
    monkeypatch.setattr(memory, "available", lambda: iter([(needed, "here"), (10**15, "there")]))
    memory.check([pending(), pending()], 28)
    monkeypatch.setattr(memory, "available", lambda: iter([(10**15, ""), (needed - 1, "here")]))
    with pytest.raises(RequestError) as error:
        memory.check([pending(), pending(name="dogs")], 28)
    assert str(error.value) == (
        "the data does not fit into memory: 100 images of MNIST and 100 images of dogs at "
        "--image-size 28 need 470.4 kB, and 470.4 kB are free here; choose a smaller --image-size, "
        "fewer tasks or fewer --dog-breeds, or free some memory"
    )


@pytest.mark.parametrize(
    ("name", "images"),
    [
        *(("mnist", "65"), ("fashion-mnist", "65"), ("dogs", "30"), ("cifar10", "60")),
        *(("cifar100", "200"), ("omniglot", "100"), ("mnist", "7,000"), ("dogs", "1,200")),
    ],
)
def test_every_dataset_is_counted_before_it_is_read(every_data_dir, monkeypatch, name, images):
    monkeypatch.setattr(memory, "available", lambda: iter([(0, "here")]))
    reads = ("mnist.read_idx", "cifar.read_records", "dogs.decode", "omniglot.decode")
    for read in (*reads, "drawn.make_splits"):
        monkeypatch.setattr(f"data.{read}", None)  # would fail if it were called
    with pytest.raises(RequestError, match=f": {images} images of .* and 0 bytes are free here;"):
        load_tiny([name], every_data_dir, fake_data="," in images)


def test_a_cache_of_dogs_is_counted_before_it_is_read(tmp_path, monkeypatch):
    write_kaggle(tmp_path / "dogs")
    load_tiny(["dogs"], tmp_path, use_pickle=True)
    os.truncate(tmp_path / "dogs" / "dogs-28px.npz", 10**13)  # takes no room on the disk
    monkeypatch.setattr("data.cache.load", None)  # would fail if it were called
    with pytest.raises(RequestError, match=r"images of dogs at .* need 40\.0 TB, and"):
        load_tiny(["dogs"], tmp_path, use_pickle=True)


def test_datasets_count_together(tmp_path, monkeypatch):
    write_mnist(tmp_path / "mnist")
    write_cifar10(tmp_path / "cifar-10-batches-bin")
    names, data = ("mnist", "cifar10"), DataSettings(tmp_path)
    needed = [memory.bytes_needed([find(name, data, 40, quiet=True)], 40) for name in names]
    monkeypatch.setattr(memory, "available", lambda: iter([(max(needed), "here")]))
    for name in names:
        load_tiny([name], tmp_path, 40)
    with pytest.raises(RequestError, match="65 images of MNIST and 60 images of CIFAR-10 at"):
        load_tiny(names, tmp_path, 40)


def test_the_header_of_a_small_file_cannot_ask_for_much(tmp_path):
    folder = write_mnist(tmp_path)
    images = folder / mnist.TRAIN_IMAGES
    contents = images.read_bytes()
    images.write_bytes(contents[:4] + (10**6).to_bytes(4, "big") + contents[8:100])
    write_idx(folder / mnist.TRAIN_LABELS, np.zeros(10**6))
    with pytest.raises(RequestError, match=r"states the shape \[1000000, 28, 28\], expected"):
        load_tiny(["mnist"], tmp_path, 65_000)


def test_the_real_command_refuses_what_would_fill_the_machine(tmp_path):
    write_mnist(tmp_path / "mnist", train=6_000, test=1_000)
    result = run_command(
        *("--tasks", "id", "--data-dir", tmp_path, "--log-dir", tmp_path / "log"),
        *("--image-size", 16_384, "--network", "fc", "--max-steps", 1),
    )
    assert result.returncode == 2
    line = one_line(result)
    assert re.match(
        "task.py: error: the data does not fit into memory: 7,000 images of MNIST at --image-size "
        r"16384 need 3\.8 TB, and \S+ [kMGT]B are free .*; choose a smaller --image-size",
        line,
    )
    assert not (tmp_path / "log").exists()
