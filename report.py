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
        description="Reports on runs: a page with figures and tables (HTML and Markdown), the "
        "figures as PNG, SVG and PDF, the results as CSV and LaTeX. Runs that differ in the seed "
        "alone are shown as their mean with a band. Of runs that differ in a few settings, says "
        "what difference each makes, and whether that is within the noise. Unfinished runs are "
        "drawn up to their last evaluation.",
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
        help="the folder for report.html and the other files; files of the same names are replaced "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--metric",
        nargs="+",
        metavar="NAME",
        help="the metrics that are shown, such as average_accuracy forgetting relearning_steps "
        "(default: the three that say most; the CSV files have all)",
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        metavar="TASK",
        help="the tasks that are shown; runs without them are left out (default: all)",
    )
    parser.add_argument("--title", help="the title (default: Report)")
    parser.add_argument(
        "--band",
        choices=("sd", "sem"),
        help="the half-width of the bands in the figures: the standard deviation over the seeds "
        "(default), or the standard error of their mean",
    )
    return parser


def report(runs: Sequence[Path], output: Path, **choice: object) -> int:
    """Writes the report on the runs in and below the folders, and prints the gist of it.

    Args:
        choice: the arguments of `make_choice` that were given; None: not given.
    """
    check_limits(MEMORY)
    # Here, so that --help and a wrong flag do not wait for NumPy and matplotlib.
    from reports.choice import make_choice
    from reports.writing import write_report

    given = {name: value for name, value in choice.items() if value is not None}
    print(write_report(runs, output, choice=make_choice(**given)))
    return 0
