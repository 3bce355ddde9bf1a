"""The style of the figures: 800 pixels wide, with lines that differ in gray as well as in color."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from reports.groups import Curves

WIDTH = 8.0  # inches; at 100 dots each that is 800 pixels
# Neighbors differ in lightness too, and no two lines have the same dashes and marker.
COLORS = ("#0b1f4d", "#e48a1a", "#b01e5a", "#62c3e8", "#14532d", "#8e6bb0")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MARKERS_PER_LINE = 9
CHARACTERS_PER_LINE = 96
LINE_HEIGHT = 0.18  # of a legend, inches
SETTINGS = {
    "font.size": 9,
    "axes.titlesize": 9,
    "figure.titlesize": 10,
    "axes.grid": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5,
    "text.parse_math": False,  # a $ in a name is a $
    "svg.fonttype": "none",  # text stays text, to be searched
    "pdf.fonttype": 42,  # as journals require
    "svg.hashsalt": "multiple-tasks",  # equal figures are equal files
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
}


def line_style(index: int) -> dict:
    """Returns the color, dashes and marker of the `index`-th line, as matplotlib names them."""
    return {
        "color": COLORS[index % len(COLORS)],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }


def draw_line(axes: Axes, curves: Curves, column: int, index: int, band: str) -> None:
    """Draws a column of the curves as the `index`-th line, with a band as `Curves.width` has it."""
    x, mean, width = curves.x, 100 * curves.mean[:, column], 100 * curves.width(band)[:, column]
    spacing = -(-len(x) // MARKERS_PER_LINE)
    every = (index * spacing // len(MARKERS) % spacing, spacing)  # beside the others' markers
    # Clipped, the markers at both ends would lose a half.
    axes.plot(x, mean, markevery=every, clip_on=False, **line_style(index))
    if np.any(width > 0):
        low, high = mean - width, mean + width
        axes.fill_between(x, low, high, color=line_style(index)["color"], alpha=0.2, linewidth=0)


def set_axes(axes: Axes, right: float, ticks: int = 6) -> None:
    """Sets the axes to accuracies of 0 to 100 % against whole numbers from 0 to `right`."""
    axes.set_xlim(0, max(right, 1))
    axes.set_ylim(0, 101)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)


def new_panels(count: int, columns: int, height: float, x_label: str) -> tuple[Figure, list[Axes]]:
    """Returns a figure and its panels, each `height` inches, row by row; all have equal axes."""
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH, 1.5 + height * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.remove()
    # Axes that are shared, as matplotlib has it, take a time that grows with the square of them.
    for index, axes in enumerate(panels[:count]):
        axes.tick_params(labelleft=index % columns == 0, labelbottom=index >= count - columns)
    for axes in panels[columns * (rows - 1) : count]:
        axes.set_xlabel(x_label)
    figure.supylabel("test accuracy, %", fontsize=9)
    return figure, panels[:count]


def add_legend(figure: Figure, names: Sequence[str], handles: Sequence | None = None) -> None:
    """Adds a legend below all axes, in as many columns as fit; by default of the first lines."""
    handles = handles or [Line2D([], [], **line_style(index)) for index in range(len(names))]
    names = [textwrap.fill(name, CHARACTERS_PER_LINE - 9) for name in names]
    longest = max(len(line) for name in names for line in name.split("\n"))
    columns = max(1, min(len(names), 4, CHARACTERS_PER_LINE // (longest + 9)))
    rows = -(-len(names) // columns)
    lines = rows * max(name.count("\n") + 1 for name in names)
    # A legend of many lines makes the figure higher, not its axes smaller.
    figure.set_figheight(figure.get_figheight() + LINE_HEIGHT * max(lines - 2, 0))
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=4,  # long enough to show the dashes
    )


def add_title(figure: Figure, *lines: str) -> None:
    """Adds a title above all axes, with long lines folded and empty ones left out."""
    figure.suptitle("\n".join(textwrap.fill(line, CHARACTERS_PER_LINE) for line in lines if line))
