"""The report on runs, as files: `report.md` and its figures."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from command import output_errors, printable
from escaping import markdown_code
from files import check_replaceable, write_whole
from reports.answers import NOTE, answers_to
from reports.groups import group_runs
from reports.questions import questions_of
from reports.runs import read_runs
from reports.table import make_report, make_table
from runs.history import METRICS

REMEDY = "name a folder that can be"  # where --output cannot be written


def write_report(folders: Sequence[Path], output: Path, varied: Sequence[str] | None = None) -> str:
    """Writes `report.md` and its figures on the runs in and below the folders.

    Args:
        output: the folder for the files; it is created, and files of the same names are replaced.
        varied: as `questions_of` takes it.

    Returns:
        The table, the notes, the files' paths and the answers, to print.

    Raises:
        RequestError: the runs cannot be read, or the files cannot be written.
    """
    import_matplotlib()
    from reports.figures import file_names, plan_figures, render_figures
    from reports.trends import plan_trends

    found, left_out = read_runs(folders)
    groups, repeated = group_runs(found)
    questions = questions_of(groups, varied)
    answers = answers_to(questions)
    table, notes = make_table(groups)
    notes += [NOTE] if answers else []
    notes += [left_out_note(folder) for folder in left_out] + repeated
    plan = plan_trends(questions, groups) | plan_figures(groups)
    # The report comes last: whatever fails, there are all the figures that it shows.
    paths = [output / name for name in (*file_names(plan), "report.md")]
    with output_errors(output, REMEDY):
        output.mkdir(parents=True, exist_ok=True)
    for path in paths:  # before the seconds or minutes that drawing takes
        with output_errors(path, REMEDY):
            check_replaceable(path)
    contents = [*render_figures(plan), make_report(groups, answers, table, notes, list(plan))]
    for path, content in zip(paths, contents, strict=True):
        with output_errors(path, REMEDY):
            write_whole(path, content)
    written = [f"  {printable(str(path))}" for path in paths]
    parts = [[table], notes, ["written:", *written], answers]
    return "\n\n".join("\n".join(part) for part in parts if part)


def left_out_note(folder: Path) -> str:
    """Returns a note, in Markdown, on a run that has not been evaluated."""
    return (
        f"left out: {markdown_code(str(folder))} has no evaluation yet, no whole line in {METRICS}"
    )


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
