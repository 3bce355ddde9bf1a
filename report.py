"""Reports on runs: figures of their test accuracies, and a table of the results."""

import os
import sys

if __name__ == "__main__":  # before the imports below, which take a while
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from program import run_program

    run_program("report")

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from command import Parser, check_limits, exit_code_of, printable
from errors import RequestError
from files import check_replaceable, write_whole

# Bytes of address space that NumPy and matplotlib take.
MEMORY = 400 * 1024**2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    return exit_code_of("report.py", lambda _: report(**vars(make_parser().parse_args(arguments))))


def make_parser() -> Parser:
    """Returns the parser of the flags, which are the arguments of `report`."""
    parser = Parser(
        prog="report.py",
        description="Draws the test accuracies of runs as PNG and SVG, and writes the results as a "
        "Markdown table. Runs that differ in the seed alone are drawn as their mean with a band of "
        "one standard deviation. Unfinished runs are drawn up to their last evaluation.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="a run's folder, as task.py printed it, or a folder above several",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("report"),
        metavar="DIR",
        help="the folder for report.md and the figures; files of the same names are replaced "
        "(default: %(default)s)",
    )
    return parser


def report(runs: Sequence[Path], output: Path) -> int:
    """Reads the runs in and below the folders, writes the report, and prints its table."""
    check_limits(MEMORY)
    # Here, so that --help and a wrong flag do not wait for NumPy and matplotlib.
    import_matplotlib()
    from reports.figures import file_names, plan_figures, render_figures
    from reports.groups import group_runs
    from reports.runs import read_runs
    from reports.table import make_report, make_table

    found, left_out = read_runs(runs)
    groups, repeated = group_runs(found)
    table, notes = make_table(groups)
    notes += left_out + repeated
    plan = plan_figures(groups)
    # The report comes last: whatever fails, there are all the figures that it shows.
    paths = [output / name for name in (*file_names(plan), "report.md")]
    with output_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    for path in paths:  # before the seconds or minutes that drawing takes
        with output_errors(path):
            check_replaceable(path)
    contents = [*render_figures(plan), make_report(groups, table, notes, list(plan))]
    for path, content in zip(paths, contents, strict=True):
        with output_errors(path):
            write_whole(path, content)
    written = [f"  {printable(str(path))}" for path in paths]
    print(table, "", *notes, "", "written:", *written, sep="\n")
    return 0


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Reports that a file or folder of the report cannot be written.

    Raises:
        RequestError: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise RequestError(
            f"--output: {path} cannot be written ({error.strerror}); name a folder that can be"
        ) from error


def import_matplotlib() -> None:
    """Imports matplotlib without the user's configuration of it, which may be broken.

    It reads a file in the current folder before any other, and a notebook puts a backend into the
    environment that is not there outside of it.
    """
    os.environ |= {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    if os.path.expanduser("~") == "~":  # a user without a home, for whom matplotlib fails
        os.environ["HOME"] = os.devnull
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no hint at a home without a cache
    here = os.open(".", os.O_RDONLY)
    os.chdir("/")
    try:
        import matplotlib  # noqa: F401
    finally:
        os.fchdir(here)
        os.close(here)
