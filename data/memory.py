"""Checks that the datasets of a run fit into memory, before they are read, decoded or resized."""

import math
import os
import re
import resource
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from data.dataset import PendingDataset
from errors import RequestError

# Of each dataset at its final size: the NumPy array, and later the tensor made from it. While a
# dataset is decoded or resized, its single pictures take as much memory as the tensor.
COPIES = 2
# Of the largest dataset at the size in its files: the parts that were read, and the array made from
# them. Labels and the one picture that each thread decodes are not counted.
COPIES_AS_READ = 2
UNITS = ("bytes", "kB", "MB", "GB", "TB")
# Of control groups of version 2 and 1: the controller beside the group's name in /proc/self/cgroup,
# the files of the limit and of the usage, and the keys of file cache in memory.stat, which the
# kernel frees when memory is needed.
CGROUPS = (
    ("", "memory.max", "memory.current", ("inactive_file ", "active_file ")),
    (
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file ", "total_active_file "),
    ),
)


def check(datasets: Iterable[PendingDataset], size: int) -> None:
    """Checks that datasets fit into memory together, at `size`×`size` pixels per image.

    Raises:
        RequestError: they do not fit.
    """
    datasets = list(datasets)
    needed = bytes_needed(datasets, size)
    free, where = min(available(), default=(needed, ""))
    if needed > free:
        names = " and ".join(f"{each.count:,} images of {each.name}" for each in datasets)
        raise RequestError(
            f"the data does not fit into memory: {names} at --image-size {size} need "
            f"{human(needed)}, and {human(max(free, 0))} are free {where}; choose a smaller "
            "--image-size, fewer tasks or fewer --dog-breeds, or free some memory"
        )


def bytes_needed(datasets: Sequence[PendingDataset], size: int) -> int:
    """Returns the peak memory of the datasets until training begins, in bytes."""
    final = sum(each.count * size * size * each.shape[2] for each in datasets)
    as_read = [each.count * math.prod(each.shape) for each in datasets]
    return COPIES * final + COPIES_AS_READ * max(as_read, default=0)


def available(root: Path = Path("/")) -> Iterator[tuple[int, str]]:
    """Yields the bytes left under each known limit, and where that limit applies.

    `root` is the folder that holds `proc` and `sys`.
    """
    free = number_after(root / "proc/meminfo", "MemAvailable:")
    if free is not None:
        yield 1024 * free, "on this machine"
    elif "SC_PHYS_PAGES" in os.sysconf_names:  # macOS, which states only the installed memory
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "on this machine"
    for left in left_in_cgroups(root):
        yield left, "in this control group"
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        pages = number_after(root / "proc/self/statm", "") or 0
        yield limit - pages * resource.getpagesize(), "under the limit of `ulimit -v`"


def left_in_cgroups(root: Path) -> Iterator[int]:
    """Yields the bytes left to each of the nested control groups of this process."""
    lines = text_of(root / "proc/self/cgroup").splitlines()
    groups = dict(line.split(":", 2)[1:] for line in lines if line.count(":") > 1)
    for controller, limit_file, usage_file, reclaimable in CGROUPS:
        if controller not in groups:
            continue
        top = root / "sys/fs/cgroup" / controller
        group = top / groups[controller].lstrip("/")
        for folder in (group, *group.parents):
            limit = number_after(folder / limit_file, "")  # None if there is no limit: "max"
            usage = number_after(folder / usage_file, "")
            if limit is not None and usage is not None:
                statistics = folder / "memory.stat"
                cached = sum(number_after(statistics, key) or 0 for key in reclaimable)
                yield limit - usage + cached
            if folder == top:
                break


def number_after(path: Path, key: str) -> int | None:
    """Returns the number after `key` at the beginning of a line; None if there is none."""
    match = re.search(rf"^{key}[ \t]*([0-9]+)(?=\s|$)", text_of(path), re.MULTILINE)
    return int(match[1]) if match else None


def text_of(path: Path) -> str:
    """Returns the text of one of the system's files; "" if it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def human(size: int) -> str:
    """Formats a number of bytes with a unit, such as 12.3 GB."""
    power = min((len(str(size)) - 1) // 3, len(UNITS) - 1)
    return f"{size / 1000**power:,.{min(power, 1)}f} {UNITS[power]}"
