"""Checks that the datasets of a run fit into memory, before they are read, decoded or resized."""

import math
import os
import re
import resource
from collections.abc import Collection, Iterator
from pathlib import Path

from rich.filesize import decimal

from data.dataset import PendingDataset
from errors import RequestError

# Of each dataset at its final size: the NumPy array, and later the tensor made from it. While a
# dataset is decoded or resized, its single pictures take as much memory as the tensor.
COPIES = 2
# Of the largest dataset at the size in its files: the parts that were read, and the array made from
# them. Labels and the one picture that each thread decodes are not counted.
COPIES_AS_READ = 2
# Of control groups of version 2 and 1, by the controller beside the group's name in
# /proc/self/cgroup: the files of the limit and of the usage, and the keys of file cache in
# memory.stat, which the kernel frees when memory is needed.
CGROUPS = {
    "": ("memory.max", "memory.current", r"(?:in)?active_file "),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", r"total_(?:in)?active_file "),
}


def check(datasets: Collection[PendingDataset], size: int) -> None:
    """Checks that datasets fit into memory together, at `size`×`size` pixels per image.

    Raises:
        RequestError: they do not fit.
    """
    needed = bytes_needed(datasets, size)
    free, where = min(available(), default=(needed, ""))
    if needed > free:
        names = " and ".join(f"{each.count:,} images of {each.name}" for each in datasets)
        raise RequestError(
            f"the data does not fit into memory: {names} at --image-size {size} need "
            f"{decimal(needed)}, and {decimal(max(free, 0))} are free {where}; choose a smaller "
            "--image-size, fewer tasks or fewer --dog-breeds, or free some memory"
        )


def bytes_needed(datasets: Collection[PendingDataset], size: int) -> int:
    """Returns the peak memory of the datasets until training begins, in bytes."""
    final = sum(each.count * size * size * each.shape[2] for each in datasets)
    as_read = [each.count * math.prod(each.shape) for each in datasets]
    return COPIES * final + COPIES_AS_READ * max(as_read, default=0)


def available(root: Path = Path("/")) -> Iterator[tuple[int, str]]:
    """Yields the bytes left under each known limit, and where that limit applies.

    `root` is the folder that holds `proc` and `sys`.
    """
    free = numbers_after("MemAvailable:", root / "proc/meminfo")
    if free:
        yield 1024 * free[0], "on this machine"
    elif "SC_PHYS_PAGES" in os.sysconf_names:  # macOS, which states only the installed memory
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "on this machine"
    for left in left_in_cgroups(root):
        yield left, "in this control group"
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        pages = sum(numbers_after("", root / "proc/self/statm"))
        yield limit - pages * resource.getpagesize(), "under the limit of `ulimit -v`"


def left_in_cgroups(root: Path) -> Iterator[int]:
    """Yields the bytes left to each of the nested control groups of this process."""
    for controller, group in matches(r"[0-9]+:(memory|):/*(.*)$", root / "proc/self/cgroup"):
        limit_file, usage_file, cache_keys = CGROUPS[controller]
        top = root / "sys/fs/cgroup" / controller
        for folder in (top / group, *(top / group).parents):
            limit = numbers_after("", folder / limit_file)  # [] if there is no limit: "max"
            usage = numbers_after("", folder / usage_file)
            if limit and usage:
                cached = numbers_after(cache_keys, folder / "memory.stat")
                yield limit[0] - usage[0] + sum(cached)
            if folder == top:
                break


def numbers_after(key: str, path: Path) -> list[int]:
    """Returns the numbers after `key` (a regular expression) at the beginning of lines."""
    return [int(number) for number in matches(rf"{key}[ \t]*([0-9]+)(?=\s|$)", path)]


def matches(line: str, path: Path) -> list:
    """Returns re.findall of the beginning of lines in a system file; [] if it cannot be read."""
    try:
        return re.findall(rf"^{line}", path.read_text(), re.MULTILINE)
    except OSError:
        return []
