"""The figures of a report: which there are, the names of their files, and their contents."""

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from io import BytesIO
from itertools import chain, count

from matplotlib import style
from matplotlib.figure import Figure

from escaping import file_name
from reports.choice import DEFAULT, Choice
from reports.comparisons import by_turn, draw_comparison
from reports.figures import draw_group
from reports.groups import DRAWN, Group
from reports.heatmaps import draw_matrices, with_turns
from reports.questions import Question
from reports.returns import draw_returns, returning
from reports.style import SETTINGS
from reports.trends import plan_trends

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 200  # twice as many as the figures' size is of, for dense screens
MAX_PIXELS = 2**16 - 1  # in height, for PNG
# More figures of single groups would hide the comparisons, and more lines in these each other.
MAX_GROUPS = 12
LINE = 0.17  # of a title, in inches


def plan_figures(
    groups: Sequence[Group], questions: Sequence[Question] = (), choice: Choice = DEFAULT
) -> tuple[dict[str, Callable[[], Figure]], dict[str, Callable[[], Figure]]]:
    """Returns functions that draw the figures, by the names of their files without ending.

    Returns:
        Those of all groups, and those of each of the first MAX_GROUPS.
    """
    # Where every step draws its task, a switch means little.
    cycles = [group for group in groups if group.settings.tasks.schedule == "cycle"]
    switching = [group for group in cycles if by_turn(group).x[-1] > 0]
    of_all = plan_trends(questions, groups, choice.quantities)
    for against, compared in (("steps", groups), ("switches", switching)):
        if 1 < len(compared) <= MAX_GROUPS:
            draw = partial(draw_comparison, compared, against, choice)
            of_all[f"accuracy-against-{against}"] = draw
    if 0 < len(found := returning(groups, choice)) <= MAX_GROUPS:
        of_all["forgetting-per-return"] = partial(draw_returns, found, choice)
    if found := with_turns(groups):
        of_all["accuracy-after-each-turn"] = partial(draw_matrices, found, choice)
    of_each: dict[str, Callable[[], Figure]] = {}
    for group in groups[:MAX_GROUPS]:
        name = unused(f"accuracy-of-{file_name(group.label)}".strip("-"), (*of_all, *of_each))
        of_each[name] = partial(draw_group, group, choice)
    return of_all, of_each


def unused(name: str, used: Collection[str]) -> str:
    """Returns the name, with the first number from 2 on that makes it another than those used."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in used)


def file_names(plan: Iterable[str]) -> list[str]:
    """Returns the names of the files of figures of these names."""
    return [f"{name}.{form}" for name in plan for form in FORMATS]


def render_figures(plan: Mapping[str, Callable[[], Figure]]) -> list[bytes]:
    """Draws the figures, and returns the contents of the files of `file_names`."""
    with style.context(SETTINGS, after_reset=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of characters that the font lacks
        figures = (draw() for draw in plan.values())  # each is freed once it is rendered
        return [rendered(figure, form) for figure in figures for form in FORMATS]


def rendered(figure: Figure, form: str) -> bytes:
    """Returns the figure as PNG, SVG or PDF; for PDF it loses its title, but no warning in it."""
    dots = min(DOTS_PER_INCH, MAX_PIXELS / figure.get_figheight())
    no_date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}  # equal figures, equal files
    facts = {"dpi": dots} if form == "png" else {"metadata": no_date[form]}
    if form == "pdf":
        remove_title(figure)
    contents = BytesIO()
    figure.savefig(contents, format=form, **facts)
    return contents.getvalue()


def remove_title(figure: Figure) -> None:
    """Removes a figure's title, and its height from the figure, but for a line on drawn data."""
    lines = figure.get_suptitle().split("\n")
    kept = [line for line in lines if line.startswith(DRAWN)]
    figure.set_figheight(figure.get_figheight() - LINE * (len(lines) - len(kept)))
    if kept:
        figure.suptitle("\n".join(kept))
    else:
        for text in figure.texts:
            if text.get_text() == figure.get_suptitle():
                text.set(visible=False, in_layout=False)
