"""The figure of the accuracy matrices: a row for each task, a column for each turn."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from reports.choice import DEFAULT, Choice
from reports.figures import MAX_PANELS, MAX_ROW_NAME, all_shortened
from reports.groups import Group, drawn_data_warning, shortened
from reports.matrix import Matrix
from reports.style import WIDTH, add_title

# More panels, or rows in all of them together, make a figure that nobody reads.
MAX_GROUPS = 6
MAX_ROWS = 60
# More turns have columns that are too narrow to see, or for a number.
MAX_TURNS = 200
MAX_NUMBERS = 16
MAX_TITLE = 90  # characters above a panel
DARK = 55  # percent, above which numbers are white
IMAGE = {"cmap": "Blues", "aspect": "auto", "interpolation": "nearest"}
OUTLINE, THIN_OUTLINE = {"ec": "#e48a1a", "lw": 1.4}, {"ec": "0.1", "lw": 0.6}
NUMBER = {"ha": "center", "va": "center", "fontsize": 8}


def with_turns(groups: Sequence[Group]) -> list[Group]:
    """Returns the groups that have a matrix of several turns."""
    return [group for group in groups if group.matrix and len(group.matrix.steps) > 2]


def draw_matrices(groups: Sequence[Group], choice: Choice = DEFAULT) -> Figure:
    """Draws the accuracy matrix of each group in a panel, up to a number of them.

    Args:
        groups: as `with_turns` returns them.
    """
    drawn, rows = [], []
    for group in groups[:MAX_GROUPS]:
        columns = choice.columns(group)[:MAX_PANELS]
        if drawn and sum(map(len, rows)) + len(columns) > MAX_ROWS:
            break
        drawn.append(group)
        rows.append(columns)
    heights = [0.23 * len(columns) + 0.5 for columns in rows]
    figure = Figure(figsize=(WIDTH, sum(heights) + 1.3), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, group, columns in zip(panels, drawn, rows, strict=True):
        names = [group.tasks[index] for index in columns]
        image = draw_matrix(axes, group.matrix, names, columns)
        if len(groups) > 1:
            axes.set_title(shortened(group.title, MAX_TITLE), fontsize=9, loc="left")
    panels[-1].set_xlabel("turns done (0: before training)")
    bar = figure.colorbar(image, ax=panels, fraction=0.03, aspect=14, pad=0.01)
    bar.set_label("test accuracy, %")
    bar.outline.set_visible(False)
    several = any(len(group.counted) > 1 for group in drawn)
    cut = any(len(group.matrix.steps) > MAX_TURNS for group in drawn)
    add_title(
        figure,
        drawn_data_warning(drawn),
        "Test accuracy at the end of each turn" + f": {groups[0].title}" * (len(groups) == 1),
        f"the first {len(drawn)} of {len(groups)} groups" * (len(drawn) < len(groups)),
        f"of more than {MAX_TURNS} turns the last" * cut,
        "outlined: the task that the turn trained" + "; mean over the seeds" * several,
    )
    return figure


def draw_matrix(
    axes: Axes, matrix: Matrix, names: Sequence[str], columns: Sequence[int]
) -> AxesImage:
    """Draws a row for each of those columns of a matrix, of its last MAX_TURNS turns."""
    first = max(0, len(matrix.steps) - MAX_TURNS)
    percent = 100 * matrix.accuracy[first:, columns].T
    edges = (first - 0.5, len(matrix.steps) - 0.5, len(columns) - 0.5, -0.5)
    image = axes.imshow(percent, vmin=0, vmax=100, extent=edges, **IMAGE)
    few = percent.shape[1] <= MAX_NUMBERS
    for place, task in enumerate(columns):
        for turn in matrix.turns.get(task, []):
            if turn >= first:
                corner = (turn - 0.47, place - 0.45)
                outline = OUTLINE if few else THIN_OUTLINE
                axes.add_patch(Rectangle(corner, 0.94, 0.9, fill=False, **outline))
        for turn, number in enumerate(percent[place] if few else ()):
            color = "white" if number > DARK else "0.1"
            axes.text(turn, place, f"{number:.0f}", color=color, **NUMBER)
    axes.set_yticks(range(len(columns)), all_shortened(names, MAX_ROW_NAME), fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(MAX_NUMBERS, integer=True))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image
