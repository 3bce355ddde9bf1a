"""Whether the datasets of a run fit into memory, asked before they are read, decoded or resized."""

import os
import resource
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from data.dataset import Found
from errors import RequestError

# Of each dataset at its final size: the NumPy array, and once all are read the tensor that becomes
# of it. While a dataset is decoded or resized, its pictures one by one take the tensor's place.
COPIES = 2
# Of the largest dataset as its files have it: what was read, and what is put together of that. What
# each thread holds of the one picture that it decodes is not counted, nor are labels.
COPIES_AS_READ = 2
UNITS = ("bytes", "kB", "MB", "GB", "TB")
# The versions of control groups, 2 and 1: which controller stands with the group's name in
# /proc/self/cgroup, and what the group's files are called: the limit, what is used, and the lines
# of its statistics for file cache, which makes room when it is needed.
CGROUPS = (
    ("", "memory.max", "memory.current", ("inactive_file ", "active_file ")),
    (
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file ", "total_active_file "),
    ),
)


def check(found: Iterable[Found], size: int) -> None:
    """Refuses datasets that do not fit into memory together, at `size`×`size` pixels an image.

    Raises:
        RequestError: they do not fit; the message has what they need and what there is.
    """
    found = list(found)
    needed, rooms = bytes_needed(found, size), list(available())
    if not rooms:
        return
    room, whose = min(rooms)
    if needed > room:
        names = " and ".join(f"{each.images:,} images of {each.name}" for each in found)
        raise RequestError(
            f"the data does not fit into memory: {names} at --image-size {size} need "
            f"{human(needed)}, and {human(max(room, 0))} are free {whose}; take a smaller "
            "--image-size, fewer tasks or fewer --dog-breeds, or free some memory"
        )


def bytes_needed(found: Sequence[Found], size: int) -> int:
    """The most bytes that the datasets take at any moment until training begins."""
    final = sum(each.images * size * size * each.shape[2] for each in found)
    as_read = [each.images * each.shape[0] * each.shape[1] * each.shape[2] for each in found]
    return COPIES * final + COPIES_AS_READ * max(as_read, default=0)


def available(root: Path = Path("/")) -> Iterator[tuple[int, str]]:
    """Each limit that can be told: how many bytes are left of it, and in words whose it is.

    `root` is the folder that has `proc` and `sys` in it.
    """
    free = number_after(root / "proc/meminfo", "MemAvailable:")
    if free is not None:
        yield 1024 * free, "on this machine"
    elif "SC_PHYS_PAGES" in os.sysconf_names:  # macOS, which tells only what is built in
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "on this machine"
    for left in left_of_cgroups(root):
        yield left, "in this control group"
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        pages = number_after(root / "proc/self/statm", "") or 0
        yield limit - pages * resource.getpagesize(), "under the limit of `ulimit -v`"


def left_of_cgroups(root: Path) -> Iterator[int]:
    """What is left to the control groups that this process is in, one inside the other."""
    lines = text_of(root / "proc/self/cgroup").splitlines()
    groups = dict(line.split(":", 2)[1:] for line in lines if line.count(":") > 1)
    for controller, limit_file, usage_file, reclaimable in CGROUPS:
        if controller not in groups:
            continue
        top = root / "sys/fs/cgroup" / controller
        group = top / groups[controller].lstrip("/")
        for folder in (group, *group.parents):
            limit = number_after(folder / limit_file, "")  # "max" where there is none
            usage = number_after(folder / usage_file, "")
            if limit is not None and usage is not None:
                statistics = folder / "memory.stat"
                cached = sum(number_after(statistics, key) or 0 for key in reclaimable)
                yield limit - usage + cached
            if folder == top:
                break


def number_after(path: Path, key: str) -> int | None:
    """The number on the line of a file that begins with `key`; None where there is none."""
    for line in text_of(path).splitlines():
        word = line.removeprefix(key).split()[:1]
        if line.startswith(key) and word and word[0].isdecimal():
            return int(word[0])
    return None


def text_of(path: Path) -> str:
    """What is in one of the system's files; nothing where it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def human(size: int) -> str:
    """A number of bytes as people write it, such as 12.3 GB."""
    power = min((len(str(size)) - 1) // 3, len(UNITS) - 1)
    return f"{size / 1000**power:,.{min(power, 1)}f} {UNITS[power]}"
