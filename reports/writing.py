"""The report on runs, as files: figures, tables, and pages of both."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from command import output_errors, printable
from files import check_replaceable, current_folder, write_whole
from reports.answers import NOTE, answers_to
from reports.assembly import Results, make_report
from reports.choice import DEFAULT, Choice, check_tasks
from reports.content import Code, Line
from reports.export import results_csv, summary_csv
from reports.falls import biggest_fall
from reports.gains import compare
from reports.groups import Group, group_runs
from reports.latex import table_in_latex
from reports.markdown import line_in_markdown, report_in_markdown, table_in_markdown
from reports.page import report_in_html
from reports.questions import Question, questions_of
from reports.runs import read_runs
from reports.table import make_notes, make_overview, make_task_table
from runs.history import METRICS

REMEDY = "name a folder that can be"  # where --output cannot be written
# The pages come last: whatever fails, there are all the figures that they show.
TEXTS = ("results.csv", "summary.csv", "table.tex", "report.md", "report.html")


def write_report(
    folders: Sequence[Path],
    output: Path,
    varied: Sequence[str] | None = None,
    choice: Choice = DEFAULT,
) -> str:
    """Writes the files of a report on the runs in and below the folders.

    Args:
        output: the folder for the files; it is created, and files of the same names are replaced.
        varied: as `questions_of` takes it.

    Returns:
        The table of the groups, the notes, the files' names and the answers, to print.

    Raises:
        RequestError: the runs cannot be read, or the files cannot be written.
    """
    import_matplotlib()
    from reports.plan import FORMATS, file_names, plan_figures, render_figures

    found, left_out = read_runs(folders)
    all_groups, repeated = group_runs(found)
    check_tasks(choice, all_groups)
    # Grouped anew, so that their labels say what differs between those that are shown.
    groups, _ = group_runs(
        [run for group in all_groups if choice.columns(group) for run in group.runs]
    )
    questions = questions_of(groups, varied)
    of_all, of_each = plan_figures(groups, questions, choice)
    figures = file_names([*of_all, *of_each])
    check_outputs(output, [*figures, *TEXTS])  # before the seconds or minutes that drawing takes
    results = results_of(groups, all_groups, questions, choice)
    results.notes.extend([*map(left_out_note, left_out), *repeated])
    if len(of_each) < len(groups):
        few = (
            f"only the first {len(of_each)} of {len(groups)} groups have a figure of their own, and"
        )
        results.notes.append((f"{few} so many are not drawn over each other; name fewer runs",))
    report = make_report(groups, results, choice, list(of_all), list(of_each))
    rendered = render_figures(of_all | of_each)
    pictures = dict(zip((*of_all, *of_each), rendered[:: len(FORMATS)], strict=True))
    texts = [
        *(results_csv(groups), summary_csv(groups), table_in_latex(results.overview)),
        *(report_in_markdown(report), report_in_html(report, pictures)),
    ]
    for name, contents in zip((*figures, *TEXTS), (*rendered, *texts), strict=True):
        with output_errors(output / name, REMEDY):
            write_whole(output / name, contents)
    written = [", ".join(reversed(TEXTS))]
    written += [f"{name}.{', .'.join(FORMATS)}" for name in pictures]
    parts = [
        [table_in_markdown(results.overview)],
        [f"- {line_in_markdown(note)}" for note in results.notes],
        ["written:", *(f"  {printable(str(output / names))}" for names in written)],
        results.answers,
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def check_outputs(output: Path, names: Sequence[str]) -> None:
    """Creates the folder, and checks that the files can be written in it.

    Raises:
        RequestError: one cannot.
    """
    with output_errors(output, REMEDY):
        output.mkdir(parents=True, exist_ok=True)
    for name in names:
        with output_errors(output / name, REMEDY):
            check_replaceable(output / name)


def results_of(
    groups: Sequence[Group],
    references: Sequence[Group],
    questions: Sequence[Question],
    choice: Choice,
) -> Results:
    """Returns the results of groups, of which some are compared with references."""
    comparisons = compare(groups, references)
    answers = answers_to(questions, choice.quantities)
    fall = biggest_fall(groups[0]) if len(groups) == 1 else ""
    notes = make_notes(groups, comparisons, choice)
    return Results(
        [*answers, *([fall] if fall else [])],
        make_overview(groups, comparisons, choice),
        make_task_table(groups, choice),
        [*notes, *([(NOTE,)] if answers else [])],
    )


def left_out_note(folder: Path) -> Line:
    """Returns a note on a run that has not been evaluated."""
    return ("left out: ", Code(folder), f" has no evaluation yet, no whole line in {METRICS}")


def import_matplotlib() -> None:
    """Imports matplotlib without the user's configuration of it, which may be broken.

    It reads a file in the current folder before any other, and a notebook puts a backend into the
    environment that is not there outside of it.
    """
    os.environ |= {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    if os.path.expanduser("~") == "~":  # a user without a home, for whom matplotlib fails
        os.environ["HOME"] = os.devnull
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no hint at a home without a cache
    with current_folder(Path("/")):
        import matplotlib  # noqa: F401
