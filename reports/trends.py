"""Figures of the final results against the values of a setting that has an order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from escaping import file_name
from reports.groups import Group, drawn_data_warning, name_in_words, shortened, value_in_words
from reports.quantities import MAIN, Quantity
from reports.questions import Question
from reports.runs import Run
from reports.statistics import interval
from reports.style import WIDTH, add_legend, add_title, line_style

HEIGHT = 3.9  # inches, without a long legend
# A factor between the first and the last value from which the axis is logarithmic.
LOGARITHMIC = 10
MAX_COLUMNS = 3  # of panels
MIN_SPAN = 5  # percentage points that a panel shows at least: a smaller difference looks small
PANEL_CHARACTERS = 48  # that fit below one of two panels
MAX_LABEL = 16  # characters of a value below the axis
MARGIN = 0.08  # of the span, beside the first and the last value
DOT = {"linestyle": "", "marker": ".", "markersize": 5, "markeredgewidth": 0, "alpha": 0.7}
# Shares of the span: the error bars of lines lie side by side, and the dots beside their bar.
LINES_APART, DOTS_APART = 0.035, 0.016


def plan_trends(
    questions: Sequence[Question],
    groups: Sequence[Group],
    quantities: Sequence[Quantity] = MAIN,
) -> dict[str, Callable[[], Figure]]:
    """Returns a function that draws a figure for each setting with an order, by its name."""
    warning = drawn_data_warning(groups)
    return {
        f"results-against-{file_name(question.name)}": partial(
            draw_trend, question, quantities, warning
        )
        for question in questions
        if question.positions and sum(map(bool, question.runs.values())) > 1
    }


def draw_trend(question: Question, quantities: Sequence[Quantity], warning: str) -> Figure:
    """Draws the quantities that apply against the setting's values.

    There is a line for each combination of the other settings.

    Args:
        warning: on drawn data, as `drawn_data_warning` returns it.
    """
    lines = question.lines()
    runs = [run for _, values in lines for several in values.values() for run in several]
    shown = [each for each in quantities if any(each.of(run) is not None for run in runs)]
    columns = min(len(shown), MAX_COLUMNS)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(WIDTH, HEIGHT * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[len(shown) :]:
        axes.remove()
    scale = Scale.of(question)
    for axes, quantity in zip(panels, shown, strict=False):
        scale.set_axis(axes, PANEL_CHARACTERS * 2 // columns)
        measured = [measure(quantity, values) for _, values in lines]
        for index, each in enumerate(measured):
            shift = (index - (len(lines) - 1) / 2) * scale.apart(len(lines))
            draw_means(axes, scale.shifted(shift), each, index)
            draw_dots(axes, scale.shifted(shift + DOTS_APART), each, index)
        drawn = [number for each in measured for numbers in each.values() for number in numbers]
        set_span(axes, drawn, cut=quantity.unit == "%")
        axes.set_ylabel(quantity.heading)
        axes.set_xlabel(name_in_words(question.name))
    if len(lines) > 1:
        add_legend(figure, [label for label, _ in lines])
    several = any(len(each) > 1 for _, values in lines for each in values.values())
    add_title(
        figure,
        warning,
        f"{listed([each.words for each in shown])} against ".capitalize()
        + name_in_words(question.name),
        "mean over the seeds, with its 95 % interval; each dot is a run" if several else "",
    )
    return figure


def listed(words: Sequence[str]) -> str:
    """Returns words as in "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


@dataclass(frozen=True)
class Scale:
    """The places of a setting's values on an axis."""

    places: dict[object, float]  # by value; logarithms where the axis is logarithmic
    logarithmic: bool

    @classmethod
    def of(cls, question: Question) -> "Scale":
        """Returns a logarithmic scale for values more than a factor of ten apart."""
        positions = question.positions
        logarithmic = positions[0] > 0 and positions[-1] > LOGARITHMIC * positions[0]
        places = np.log10(positions) if logarithmic else np.array(positions)
        return cls(dict(zip(question.runs, places.tolist(), strict=True)), logarithmic)

    @property
    def span(self) -> float:
        """The distance from the first place to the last."""
        first, *_, last = self.places.values()
        return last - first

    def apart(self, lines: int) -> float:
        """Returns the shift between so many lines, as a share of the span."""
        nearest = min(np.diff(list(self.places.values()))) / self.span
        return min(LINES_APART, nearest / 2 / lines)

    def shifted(self, share: float) -> dict[object, float]:
        """Returns each value's place on the axis, shifted by a share of the span."""
        places = {value: place + share * self.span for value, place in self.places.items()}
        return {value: self.on_axis(place) for value, place in places.items()}

    def on_axis(self, place: float) -> float:
        """Returns the number at a place."""
        return 10**place if self.logarithmic else place

    def set_axis(self, axes: Axes, characters: int) -> None:
        """Sets the horizontal axis, with ticks at the values and as many labels as have room.

        Args:
            characters: that fit below the axis.
        """
        margin = MARGIN * self.span
        first, *_, last = self.places.values()
        left, right = first - margin, last + margin
        axes.set_xscale("log" if self.logarithmic else "linear")
        axes.set_xlim(self.on_axis(left), self.on_axis(right))
        axes.xaxis.set_minor_locator(NullLocator())
        places = list(self.places.values())
        labels = [shortened(value_in_words(value), MAX_LABEL) for value in self.places]
        labels = spaced(labels, [place * characters / (right - left) for place in places])
        axes.set_xticks(list(map(self.on_axis, places)), labels)


def spaced(labels: Sequence[str], places: Sequence[float]) -> list[str]:
    """Returns the labels, in place of those without room between others an empty one.

    Args:
        places: of the labels' middles, rising, in characters.
    """

    def clear(one: int, other: int) -> bool:
        return places[other] - places[one] > (len(labels[one]) + len(labels[other])) / 2 + 1

    shown, last = [0], len(labels) - 1
    for index in range(1, last):
        if clear(shown[-1], index) and clear(index, last):
            shown.append(index)
    return [label if index in (*shown, last) else "" for index, label in enumerate(labels)]


def measure(
    quantity: Quantity, values: Mapping[object, Sequence[Run]]
) -> dict[object, list[float]]:
    """Returns the quantity of the runs of each value, where it applies."""
    measured = {
        value: [share for run in runs if (share := quantity.of(run)) is not None]
        for value, runs in values.items()
    }
    return {value: shares for value, shares in measured.items() if shares}


def draw_means(
    axes: Axes, places: Mapping[object, float], measured: Mapping[object, list[float]], index: int
) -> None:
    """Draws the mean of each value with its 95 % interval, as the `index`-th line."""
    x = [places[value] for value in measured]
    ends = [interval(shares) for shares in measured.values()]
    axes.plot(x, [mean for mean, _, _ in ends], clip_on=False, **line_style(index))
    low, high = [low for _, low, _ in ends], [high for _, _, high in ends]
    axes.vlines(x, low, high, color=line_style(index)["color"], linewidth=1.2)


def draw_dots(
    axes: Axes, places: Mapping[object, float], measured: Mapping[object, list[float]], index: int
) -> None:
    """Draws a dot for each run of a value that has several."""
    for value, shares in measured.items():
        if len(shares) > 1:
            color = line_style(index)["color"]
            axes.plot([places[value]] * len(shares), shares, **DOT | {"color": color})


def set_span(axes: Axes, drawn: Sequence[float], cut: bool) -> None:
    """Sets the vertical axis to what is drawn, but no less than some points of it.

    Args:
        cut: whether the interval of a few runs, which may be much wider, is cut to 0 to 100 %.
    """
    low, high = axes.get_ylim()
    missing = max(MIN_SPAN - (high - low), 0)
    low, high = low - missing / 2, high + missing / 2
    if cut:
        low, high = max(low, min(0, *drawn) - 1), min(high, max(100, *drawn) + 1)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
