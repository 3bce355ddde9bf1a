from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from reports.groups import Group
from reports.quantities import QUANTITIES
from reports.questions import questions_of
from reports.style import SETTINGS
from reports.trends import MIN_SPAN, plan_trends
from tests.support.run_folders import make_groups


@pytest.fixture(autouse=True)
def report_style() -> Iterator[None]:
    """Draws in the report's style."""
    with style.context(SETTINGS, after_reset=True):
        yield


def draw(groups: list[Group]) -> dict[str, Figure]:
    """Returns the figures on the groups, by name."""
    plan = plan_trends(questions_of(groups), groups)
    return {name: draw() for name, draw in plan.items()}


def run(final: float, best: float = 0.9, **settings: object) -> dict:
    """Returns a run on two tasks with that final accuracy.

    They are trained in turn where the task time is 100.
    """
    return {"accuracies": [[0.1, 0.1], [best, best], [final, final]]} | settings


def ticks(axes: Axes) -> list[str]:
    """Returns the labels below the axes."""
    return [label.get_text() for label in axes.get_xticklabels()]


def bars(axes: Axes) -> list[list[float]]:
    """Returns the lower and the upper end of each interval, of the first line."""
    return [[low, high] for (_, low), (_, high) in axes.findobj(LineCollection)[0].get_segments()]


def test_a_figure_has_the_means_the_intervals_and_each_run(tmp_path: Path) -> None:
    finals = {9: (0.62, 0.63, 0.64), 200: (0.5, 0.5, 0.5)}
    made = [
        run(final, batch=batch, task_time=100, seed=seed)
        for batch, shares in finals.items()
        for seed, final in enumerate(shares)
    ]
    figure = draw(make_groups(tmp_path, *made))["results-against-batch"]
    assert "95 % interval; each dot is a run" in figure.get_suptitle() and not figure.legends
    accuracy, forgetting = figure.axes
    assert accuracy.get_ylabel() == "final average accuracy, %"
    assert forgetting.get_ylabel() == "forgetting, %"
    mean, *dots = accuracy.lines
    # A single line lies at the values.
    np.testing.assert_allclose(mean.get_xydata(), [[9, 63], [200, 50]])
    np.testing.assert_allclose(bars(accuracy), [[63 - 2.484, 63 + 2.484], [50, 50]], atol=0.001)
    assert all(set(each.get_xdata()).isdisjoint(mean.get_xdata()) for each in dots)
    np.testing.assert_allclose([each.get_ydata() for each in dots], [[62, 63, 64], [50] * 3])
    np.testing.assert_allclose(forgetting.lines[0].get_ydata(), [27, 40])
    assert (accuracy.get_xscale(), ticks(accuracy)) == ("log", ["9", "200"])


def test_there_is_a_line_for_each_combination_of_the_others(tmp_path: Path) -> None:
    made = [
        run(0.5, task_time=time, optimizer=optimizer, norm=norm)
        for time in (100, 200)
        for optimizer in ("sgd", "adam")
        for norm in ("batch", "lrn")
    ]
    del made[1]  # one combination has one value alone
    figures = draw(make_groups(tmp_path, *made))  # each with a seed of its own
    assert list(figures) == ["results-against-task-time"]  # optimizer and norm have no order
    (figure,) = figures.values()
    (legend,) = figure.legends
    names = {text.get_text() for text in legend.get_texts()}
    assert names == {"norm batch, sgd", "norm lrn, sgd", "norm batch, adam", "norm lrn, adam"}
    lengths = sorted(len(line.get_xdata()) for line in figure.axes[0].lines)
    assert lengths == [1, 2, 2, 2] and "interval" not in figure.get_suptitle()


def test_lines_are_in_the_order_of_the_others(tmp_path: Path) -> None:
    made = [run(0.5, task_time=time, batch=batch) for time in (9, 8) for batch in (10, 9, 100)]
    (legend,) = draw(make_groups(tmp_path, *made))["results-against-task-time"].legends
    assert [text.get_text() for text in legend.get_texts()] == ["batch 9", "batch 10", "batch 100"]


@pytest.mark.parametrize(
    ("name", "values", "scale", "labels"),
    [
        ("learning_rate", (0.1, 0.001, 0.01), "log", ["0.001", "0.01", "0.1"]),
        ("filters", ([8], [80]), "linear", ["8", "80"]),
        ("filters", ([8], [81]), "log", ["8", "81"]),
        ("filters", ([8, 16], [16, 32]), "linear", ["8 16", "16 32"]),
        ("filters", ([8, 16], [16, 8]), None, []),  # no order
        ("l2", (0.0, 1.0, 0.5), "linear", ["0.0", "0.5", "1.0"]),  # 0 has no logarithm
        ("batch", (1, 2, 3, 900), "log", ["1", "2", "3", "900"]),
        ("hidden_units", (1, 2, 3, 9), "linear", ["1", "2", "3", "9"]),
        # What has no room beside the others is left out.
        ("task_weights", ([1, 1e-9], [1, 1e-8], [1, 1]), "linear", ["1 1e-09", "", "1 1"]),
        ("standardize", (True, False), None, []),
        ("norm", ("batch", "none"), None, []),
    ],
)
def test_the_axis_of_a_setting(
    tmp_path: Path, name: str, values: tuple, scale: str | None, labels: list[str]
) -> None:
    common = {"seed": 0, "network": ["conv", "fc", "fc"]}
    made = [run(0.5, **{name: value}, **common) for value in values]
    figures = draw(make_groups(tmp_path, *made))
    if scale is None:
        assert figures == {}
    else:
        axes = figures[f"results-against-{name.replace('_', '-')}"].axes[0]
        assert (axes.get_xscale(), ticks(axes)) == (scale, labels)


def test_a_small_difference_looks_small_and_a_wide_interval_is_cut(tmp_path: Path) -> None:
    made = [run(0.5 + n / 1000, task_time=n) for n in (1, 2)]
    axes = draw(make_groups(tmp_path / "small", *made))["results-against-task-time"].axes[0]
    assert np.diff(axes.get_ylim()) == pytest.approx(MIN_SPAN)
    made = [run(0.8 * seed + 0.1, task_time=n, seed=seed) for n in (1, 2) for seed in (0, 1)]
    axes = draw(make_groups(tmp_path / "wide", *made))["results-against-task-time"].axes[0]
    assert axes.get_ylim() == (-1, 101)


def test_the_intervals_of_steps_are_whole(tmp_path: Path) -> None:
    # Dog returns, and takes 100 steps or 200 of a turn of 200, at the end of which it is back.
    dog, away = [[0.9, 0.1], [0.9, 0.1]], [[0.4, 0.1], [0.4, 0.1]]
    made = [
        {"accuracies": [[0.1, 0.1], *dog, *away, [share, 0.1], dog[0]], "batch": n, "seed": seed}
        for n in (1, 2)
        for seed, share in enumerate((0.5, 0.9))
    ]
    groups = make_groups(tmp_path, *({"task_time": 200} | each for each in made))
    plan = plan_trends(questions_of(groups), groups, [QUANTITIES["relearning_steps"]])
    (axes,) = plan["results-against-batch"]().axes
    (low, high), *_ = bars(axes)
    assert high - low > 300 and axes.get_ylim()[0] < low and axes.get_ylim()[1] > high


def test_one_task_has_one_panel(tmp_path: Path) -> None:
    made = [{"accuracies": [[0.1], [0.2]], "tasks": ["id"], "batch": n, "seed": 0} for n in (1, 2)]
    figure = draw(make_groups(tmp_path, *made))["results-against-batch"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["final average accuracy, %"]


def test_a_value_without_a_finished_run_has_no_point(tmp_path: Path) -> None:
    cut = run(0.5, task_time=3, finished=False, max_steps=100)
    made = [run(0.5, task_time=1), run(0.5, task_time=2), cut]
    axes = draw(make_groups(tmp_path / "three", *made))["results-against-task-time"].axes[0]
    assert axes.lines[0].get_xdata().tolist() == [1, 2]
    assert draw(make_groups(tmp_path / "two", *made[1:])) == {}


def test_drawn_data_is_named(tmp_path: Path) -> None:
    made = [run(0.5, task_time=time, fake_data=True) for time in (1, 2)]
    figure = draw(make_groups(tmp_path, *made))["results-against-task-time"]
    assert figure.get_suptitle().startswith("DRAWN DATA: says nothing about real images")
