"""Names from outside in a report: on the terminal, in its pages, its table and its figures."""

import re
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

import report
from reports.answers import answers_to
from reports.assembly import make_report
from reports.choice import DEFAULT
from reports.comparisons import draw_comparison
from reports.content import Bullets, Report
from reports.groups import group_runs
from reports.latex import table_in_latex
from reports.markdown import report_in_markdown
from reports.page import report_in_html
from reports.plan import plan_figures, render_figures
from reports.questions import questions_of
from reports.runs import read_runs
from reports.writing import results_of
from tests.support.command import run_here
from tests.support.fuzzing import cases
from tests.support.latex import check_latex
from tests.support.names import FRAGMENTS, folder_name, is_plain, names
from tests.support.rendering import read_html, rendered
from tests.support.run_folders import make_groups, rising, write_run

# Of a report in Markdown: it has no links, and no HTML.
TAGS = {"h1", "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
TAGS |= {"strong", "code", "img"}
# Of a page.
PAGE_TAGS = TAGS | {"html", "head", "meta", "title", "style", "body", "script", "div"}
BAR = re.compile(r"(?:\\.|[^|])*\|")  # up to the end of a cell


def columns(text: str) -> list[set[int]]:
    """Returns the numbers of bars that the lines of each table have."""
    tables = [part for part in text.split("\n\n") if part.startswith("| ")]
    return [{len(BAR.findall(line)) for line in table.splitlines()} for table in tables]


def check_report(text: str, figures: set[str]) -> None:
    """Checks that a report's Markdown has two tables, its own images, and no other markup."""
    assert is_plain(text)
    assert list(map(len, columns(text))) == [1, 1]
    page = rendered(text)
    assert page.tags <= TAGS
    assert page.images == figures


def check_page(text: str, figures: int) -> None:
    """Checks that a page has its own tags and script alone, and as many images, all within it."""
    assert is_plain(text)
    page = read_html(text)
    assert page.tags <= PAGE_TAGS and text.count("<script") == 1
    assert text.count("<img ") == figures
    assert all(image.startswith("data:image/png;base64,") for image in page.images)


def write_runs(folder: Path, tasks: list[str]) -> list[Path]:
    """Writes runs with these names as tasks, settings, datasets and folders.

    There are two equal runs, a run on each of the two first tasks alone, and one unfinished.
    """
    common = {"dog_breeds": tasks[:2], "weights": folder_name(tasks[0])}
    several = common | {"accuracies": rising(len(tasks), 3), "tasks": tasks, "heads": "multi"}
    alone = common | {"accuracies": rising(1, 3), "max_steps": 100}
    data = {name: {"train": 1, "test": 2, "sha256": name} for name in tasks}
    runs = [several, several, *(alone | {"tasks": [name]} for name in tasks[:2])]
    runs.append(several | {"finished": False, "max_steps": 900, "data": data, "dog_breeds": None})
    return [
        write_run(folder / str(number) / folder_name(name), **run)
        for number, (run, name) in enumerate(zip(runs, (tasks * 5)[:5], strict=True))
    ]


@cases(25)
@given(tasks=st.lists(names(), min_size=2, max_size=9))
def test_any_name_is_shown_as_it_is_in_the_markdown(tasks: list[str]) -> None:
    with TemporaryDirectory() as folder:
        found, _ = read_runs(write_runs(Path(folder), tasks))
        groups, repeated = group_runs(found)
        questions = questions_of(groups)
        of_all, of_each = plan_figures(groups, questions)
        results = results_of(groups, groups, questions, DEFAULT)
        results.notes.extend(repeated)
        assert repeated and results.answers and all(map(str.isprintable, results.answers))
        report = make_report(groups, results, DEFAULT, list(of_all), list(of_each))
        names = [*of_all, *of_each]
        assert all(re.fullmatch(r"[a-z0-9.-]{,80}", name) for name in names)
        assert len({*names}) == len(names)
        check_report(report_in_markdown(report), {f"{name}.png" for name in names})
        check_page(report_in_html(report, dict.fromkeys(names, b"image")), len(names))
        check_latex(table_in_latex(results.overview))


# Those that are the worst in XML, on terminals, in layouts and for TeX.
WORST = ("\x1b[2J\x07\x00\ufffe", "]]><script>&amp;", "$\\frac{", "|" * 255, "**mean**", "\ud800_")


def test_a_report_of_the_worst_names(tmp_path: Path) -> None:
    output = tmp_path / folder_name("<b>`|\x1b[31m\udcff")
    runs = write_runs(tmp_path, list(WORST))
    result = run_here(*runs, "--output", output, main=report.main)
    assert (result.returncode, result.stderr) == (0, "")
    assert is_plain(result.stdout)
    figures = {path.name for path in output.glob("*.png")}
    check_report((output / "report.md").read_text(), figures)
    check_page((output / "report.html").read_text(), len(figures))
    check_latex((output / "table.tex").read_text())
    for path in output.glob("*.svg"):
        check_figure(path.read_bytes())


def test_names_in_answers_are_shown_as_they_are(tmp_path: Path) -> None:
    names = ["<b>*b*</b> `|` [l](x)", "# \x1b[31m\n| a | b |"]
    groups = make_groups(tmp_path, *({"weights": name, "seed": 0} for name in names))
    (answer,) = answers_to(questions_of(groups))
    assert answer.startswith(
        "weights # \\x1b[31m | a | b | in place of <b>*b*</b> `|` [l](x): final "
    )
    report = Report("Report", "", [Bullets([(answer,)])])
    for page in (rendered(report_in_markdown(report)), read_html(report_in_html(report, {}))):
        assert page.tags <= PAGE_TAGS and answer in page.text


def test_a_figure_of_all_names(tmp_path: Path) -> None:
    made = [{"tasks": [name]} for name in FRAGMENTS]
    groups = make_groups(tmp_path, *made)
    draw = partial(draw_comparison, groups, "steps")
    _, svg, _ = render_figures({"figure": draw})
    text = check_figure(svg)
    assert "<script>alert(1)</script> (seed " in text and "\\x1b[2J\\x1b[31m (seed " in text


def check_figure(svg: bytes) -> str:
    """Checks that an SVG has plain text alone, and returns it."""
    tree = ElementTree.fromstring(svg)
    text = "".join(tree.itertext())
    assert is_plain(text)
    assert not [each for each in tree.iter() if each.tag.endswith(("script", "image", "}a"))]
    return text
