"""Reports on runs: figures of their test accuracies, and a table of the results."""

import sys
from collections.abc import Sequence
from pathlib import Path

from command import Parser, exit_code_of, prepare_outputs
from errors import RequestError


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
    # Here, so that --help and a wrong flag do not wait for NumPy and matplotlib.
    from reports.figures import write_figures
    from reports.groups import group_runs
    from reports.runs import read_runs
    from reports.table import make_report, make_table

    found, left_out = read_runs(runs)
    groups, repeated = group_runs(found)
    table, notes = make_table(groups)
    notes += left_out + repeated
    report_file = output / "report.md"
    try:
        output.mkdir(parents=True, exist_ok=True)
        figures = write_figures(groups, output)
        report_file.write_text(make_report(groups, table, notes, figures), encoding="utf-8")
    except OSError as error:
        raise RequestError(
            f"--output: {error.filename or output} cannot be written ({error.strerror}); "
            "name a folder that can be"
        ) from error
    written = [f"  {path}" for path in (report_file, *figures)]
    print(table, "", *notes, "", "written:", *written, sep="\n")
    return 0


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
