"""What the benchmarks share: where and how something was measured, and how that is told."""

import argparse
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from runs.describe import version_of

from command import Parser
from errors import RequestError
from runs.files import write_json
from settings.values import whole_number

Item = TypeVar("Item")

PACKAGES = ("tensorflow", "keras", "numpy")
# What Linux calls the instructions that multiply bfloat16, Intel's and AMD's and then Arm's.
BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16")
# What --help of a benchmark says that hands on the flags that it does not know.
OTHER_FLAGS = "All other flags are task.py's, such as --seed and --threads: see task.py --help."


def make_parser(name: str, says: str, numbers: Iterable[tuple[str, int, str]]) -> Parser:
    """A parser for a benchmark.

    Args:
        name: of its module.
        says: its module's docstring, of which --help has the first line.
        numbers: flags that take a whole number: their names, defaults, and what they are.
    """
    parser = Parser(
        prog=f"benchmarks.{name}", description=says.partition("\n")[0], allow_abbrev=False
    )
    for flag, default, what in numbers:
        parser.add_argument(
            flag,
            type=whole_number,
            default=default,
            metavar="N",
            help=f"{what} (default: %(default)s)",
        )
    parser.add_argument(
        "--json",
        type=Path,
        default=Path("log", "benchmarks", f"{name}.json"),
        metavar="FILE",
        help="write what came out to this file as well (default: %(default)s)",
    )
    return parser


def about(parser: Parser, arguments: Sequence[str] | None, seed: int) -> dict:
    """On what, with what and how it is measured; no arguments stand for the command's own."""
    given = sys.argv[1:] if arguments is None else arguments
    return {
        "benchmark": parser.prog,
        "date": datetime.now().astimezone().isoformat(timespec="minutes"),
        "command": shlex.join(["python", "-m", parser.prog, *given]),
        "seed": seed,
        "hardware": hardware(),
        "versions": {
            "python": platform.python_version(),
            **{package: version_of(package) for package in PACKAGES},
        },
    }


def hardware() -> dict:
    """The processor, how many cores of it there are to use, the memory in GB, and any GPUs."""
    facts = cpu_facts()
    instructions = (facts.get("flags") or facts.get("Features", "")).split()
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return {
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "bfloat16": [name for name in BFLOAT16 if name in instructions],
        "memory": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "gpus": gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def cpu_facts() -> dict[str, str]:
    """What Linux tells of the first processor; nothing elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def gpus() -> list[str]:
    """The names of NVIDIA's GPUs, by a program of its driver: TensorFlow may not be loaded yet."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return []
    return told.stdout.splitlines() if told.returncode == 0 else []


def heading(about: dict) -> str:
    """What `about` says, in four lines."""
    hardware = about["hardware"]
    return "\n".join(
        [
            f"{about['benchmark']}, {about['date']}",
            f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory']} GB, "
            f"{hardware['system']}; bfloat16 instructions: "
            f"{', '.join(hardware['bfloat16']) or 'none'}; "
            f"GPU: {', '.join(hardware['gpus']) or 'none'}",
            ", ".join(f"{name} {version}" for name, version in about["versions"].items()),
            f"seed {about['seed']}; {about['command']}",
        ]
    )


def with_progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """The items, with a progress bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    yield from track(items, doing, console=console, transient=True, disable=not sys.stderr.isatty())


def in_turn(measured: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds that a call of each takes, `repeats` times each.

    They are called in turn, so that what slows the machine for a while slows all of them; and once
    before, so that all is compiled.
    """
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    turns = [(turn, name) for turn in range(repeats + 1) for name in measured]
    for turn, name in with_progress(turns, "measuring"):
        start = time.perf_counter()
        measured[name]()
        if turn:
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """The ratio in each turn, in which the machine was the same for both."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def spread(values: Sequence[float]) -> dict:
    """The median, from where to where the values go, and the values in the order of measuring."""
    return {
        "median": median(values),
        "least": min(values),
        "most": max(values),
        "values": list(values),
    }


def told(values: Sequence[float], digits: int = 2) -> str:
    """The median, and from where to where the values go, as text."""
    low, high = f"{min(values):,.{digits}f}", f"{max(values):,.{digits}f}"
    return f"{median(values):,.{digits}f} ({low} to {high})"


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows, of which the first is the header, as plain text in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def check_json(asked: argparse.Namespace) -> None:
    """Makes the folder of the file to write, before minutes of measuring.

    Raises:
        RequestError: it cannot be made.
    """
    try:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"--json: the folder {asked.json.parent} cannot be made ({error.strerror}); "
            "name another file"
        ) from error


def write(asked: argparse.Namespace, result: dict) -> None:
    """Writes the result as JSON, and says where."""
    write_json(asked.json, result)
    print(f"\nall of it is in {asked.json}")
