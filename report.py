"""Reports on runs: figures of their test accuracies, and a table of the results."""

import os
import sys

if __name__ == "__main__":  # before the imports below, which take a while
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from program import run_program

    run_program("report")

from collections.abc import Sequence
from pathlib import Path

from command import Parser, check_limits, exit_code_of

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
        "one standard deviation. Of runs that differ in a few settings, says what difference each "
        "makes, and whether that is within the noise. Unfinished runs are drawn up to their last "
        "evaluation.",
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
    """Writes the report on the runs in and below the folders, and prints the gist of it."""
    check_limits(MEMORY)
    # Here, so that --help and a wrong flag do not wait for NumPy and matplotlib.
    from reports.writing import write_report

    print(write_report(runs, output))
    return 0
