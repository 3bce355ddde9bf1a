"""The frame of a benchmark: its flags, turns of measuring, and the table and JSON of its result."""

import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

from command import Parser, exit_code_of
from files import write_json
from runs.description import version_of
from settings.values import whole_number

Values = Sequence[float]  # a value of each turn
Table = Mapping[str, Mapping[str, Values]]  # by row and column
Measure = Callable[..., tuple[str, dict[str, Table]]]

FOLDER = Path("log", "benchmarks")


def make_parser(name: str, description: str, turns: int) -> Parser:
    """Returns a parser for the module of that name, with the flag --repeats."""
    epilog = "All other flags are task.py's, such as --data-dir and --threads: see task.py --help."
    parser = Parser(f"benchmarks.{name}", None, description, epilog, allow_abbrev=False)
    number, text = whole_number("N").parse, "measurements of each (default: %(default)s)"
    parser.add_argument("--repeats", type=number, default=turns, metavar="N", help=text)
    return parser


def run_benchmark(parser: Parser, arguments: Sequence[str] | None, measure: Measure) -> int:
    """Measures, prints the tables, and writes them as JSON.

    Args:
        measure: takes task.py's flags, and the benchmark's own by name; returns a line about the
            measurement and its tables by their titles.

    Returns:
        The exit code.
    """

    def action(interrupts: object) -> int:
        own, flags = parser.parse_known_args(arguments)
        FOLDER.mkdir(parents=True, exist_ok=True)
        given = sys.argv[1:] if arguments is None else arguments
        about = environment(shlex.join(["python", "-m", parser.prog, *given]))
        about["measured"], tables = measure(flags, **vars(own))
        print(*about.values(), "median (least to most)", sep="\n")
        for title, table in tables.items():
            print("", format_table(title, table), sep="\n")
        file = FOLDER / f"{parser.prog.rpartition('.')[2]}.json"
        write_json(file, {**about, "tables": tables})
        print(f"\nwritten to {file}")
        return 0

    return exit_code_of(parser.prog, action)


def environment(command: str) -> dict[str, str]:
    """Returns the command, the date, the machine and the versions, a line of text each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{package} {version_of(package)}" for package in ("tensorflow", "keras"))
    return {
        "command": command,
        "date": datetime.now().astimezone().isoformat(timespec="minutes"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}",
        "versions": f"Python {platform.python_version()}, {packages}",
    }


def processor() -> str:
    """Returns the processor's name; its architecture where the system tells no name."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def with_progress(items: Sequence[tuple]) -> Iterator[tuple]:
    """Yields the items, with a progress bar on standard error where that is a terminal."""
    console, hidden = Console(stderr=True), not sys.stderr.isatty()
    yield from track(items, "measuring", console=console, transient=True, disable=hidden)


def ratios(numerators: Values, denominators: Values) -> list[float]:
    """Returns the ratio in each turn, in which the machine was the same for both."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def format_table(title: str, table: Table) -> str:
    """Returns a table, with the title above its rows' names, as text."""
    columns = list(next(iter(table.values())))
    cells = [[row, *map(format_values, table[row].values())] for row in table]
    rows = [[title, *columns], *cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def format_values(values: Values) -> str:
    """Returns the median, and the extremes in brackets."""
    digits = 0 if abs(median(values)) >= 100 else 2
    middle, low, high = (f"{part(values):,.{digits}f}" for part in (median, min, max))
    return f"{middle} ({low} to {high})"
