"""The command line of a report: draws the accuracies of runs, and tabulates what came out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from command import Parser, exit_code_of, prepare_outputs
from errors import RequestError


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the report that the arguments ask for; returns the exit code."""
    return exit_code_of("report.py", lambda _: report(make_parser().parse_args(arguments)))


def make_parser() -> Parser:
    """The flags."""
    parser = Parser(
        prog="report.py",
        description="Draws the test accuracies of runs as PNG and SVG, and writes what came out as "
        "a Markdown table. Runs that differ in the seed alone are drawn as their mean with a band "
        "of one standard deviation. Runs that are not finished are drawn as far as they go.",
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
        help="the folder for report.md and the figures; what it has of the same names is replaced "
        "(default: %(default)s)",
    )
    return parser


def report(settings: argparse.Namespace) -> int:
    """Reads the runs, writes the report, and prints its table."""
    # Here, so that --help and a mistyped flag do not wait for NumPy and matplotlib.
    from reports.figures import write_figures
    from reports.groups import group_runs
    from reports.runs import read_runs
    from reports.table import make_report, make_table

    runs, left_out = read_runs(settings.runs)
    groups, repeated = group_runs(runs)
    table, notes = make_table(groups)
    notes += left_out + repeated
    try:
        settings.output.mkdir(parents=True, exist_ok=True)
        files = write_figures(groups, settings.output)
        text = make_report(groups, table, notes, files)
        (settings.output / "report.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise RequestError(
            f"--output: {error.filename or settings.output} cannot be written ({error.strerror}); "
            "name a folder that can be"
        ) from error
    print(table, "", *notes, "", "written:", sep="\n")
    print(*(f"  {path}" for path in (settings.output / "report.md", *files)), sep="\n")
    return 0


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
