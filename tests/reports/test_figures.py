import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib import style
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from reports.choice import Choice
from reports.comparisons import draw_comparison
from reports.figures import MAX_PANELS, all_shortened, draw_group, turns_of
from reports.groups import Group
from reports.heatmaps import MAX_TURNS, draw_matrices
from reports.plan import file_names, plan_figures, render_figures, rendered
from reports.questions import questions_of
from reports.returns import draw_returns, returning
from reports.style import MARKERS, SETTINGS, line_style
from tests.support.run_folders import LONG_NAMES, make_groups, rising


@pytest.fixture(autouse=True)
def report_style() -> Iterator[None]:
    """Draws in the report's style."""
    with style.context(SETTINGS, after_reset=True):
        yield


def test_turns_follow_the_schedule(tmp_path: Path) -> None:
    (group,) = make_groups(tmp_path, {"accuracies": rising(2, 6), "task_time": 200})
    assert turns_of(group) == ([(0, 200, 0), (200, 400, 1), (400, 500, 0)], "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schedule": "random"}, "drawn at random: too many turns to shade"),
        ({"task_time": 3}, "166 switches of task: too many turns to shade"),
        ({"schedule": "joint"}, "all tasks are trained at every step"),
    ],
)
def test_a_figure_without_shading_says_why(tmp_path: Path, changes: dict, expected: str) -> None:
    (group,) = make_groups(tmp_path, {"accuracies": rising(2, 6)} | changes)
    assert turns_of(group)[0] == []
    figure = draw_group(group)
    assert expected in figure.get_suptitle() and len(figure.axes) == 1


def test_titles_name_drawn_data(tmp_path: Path) -> None:
    groups = make_groups(tmp_path, {}, {"fake_data": True})
    of_all, of_each = plan_figures(groups)
    assert list(of_all) == ["accuracy-against-steps"]
    plan = of_each | of_all
    real, drawn, both = (draw().get_suptitle() for draw in plan.values())
    assert "DRAWN" not in real and drawn.startswith("DRAWN DATA: ")
    assert both.startswith("DRAWN DATA where the label says so")


def test_titles_name_unfinished_runs(tmp_path: Path) -> None:
    short = {"accuracies": rising(2, 2), "finished": False, "max_steps": 200}
    (one,) = make_groups(tmp_path / "one", short)
    (two,) = make_groups(tmp_path / "two", {"accuracies": rising(2, 3)}, short)
    assert draw_group(one).get_suptitle().count("unfinished: 100 of 200 steps") == 1
    assert "seed 1 unfinished: 100 of 200 steps" in draw_group(two).get_suptitle()
    assert "mean over the seeds that have reached a step" in draw_group(two).get_suptitle()


# Two groups that differ in much have long labels; a $ in them is a $.
MUCH = [
    {
        **{"weights": f"${n}$" * 5, "dog_breeds": [f"${n}$", "boxer", "pug", "poodle"]},
        **{"image_size": 28 + n, "filters": [10 + n, 20], "dropout": 0.8 + n / 10},
        **{"learning_rate": 0.1 + n, "batch": 10 + n, "l2": 0.1 + n},
    }
    for n in range(2)
]
# Runs whose figures are hard to draw.
HARD = {
    "long": [{"accuracies": rising(20, 20), "tasks": LONG_NAMES, "task_time": 100}],
    "few long": [{"accuracies": rising(6, 20), "tasks": LONG_NAMES[:6]}],
    "short": [{"accuracies": rising(2, 1), "finished": False, "max_steps": 900}],
    "several": [
        {"accuracies": rising(3, 30), "tasks": ["x", "y", "z"], "task_time": time}
        for time in (50, 50, 100, 100, 200, 200)
    ],
    "many": [
        {"accuracies": rising(8, 20), "tasks": LONG_NAMES[n : n + 8], "fake_data": n > 3}
        for n in range(0, 9, 2)
    ],
    "differing": [
        {"accuracies": rising(2, 3), "finished": False, "max_steps": 900} | settings
        for settings in (*MUCH, MUCH[1])
    ],
    "twenty groups": [
        {"accuracies": rising(2, 9), "task_time": 100 + n, "learning_rate": 0.001 * n}
        | {"network": ["conv"] * (n % 4 + 1) + ["fc"], "filters": [n], "l2": 1e-5 * n}
        | {"batch": 10 + n}
        for n in range(1, 21)
    ],
    "trends": [
        {"filters": filters, "learning_rate": rate, "seed": seed}
        for filters, rate, seed in (
            *itertools.product(([1, 2], [2, 2], [3, 3], [99, 1000], [1000, 10_000]), [0.1], [0]),
            *itertools.product([[1, 2]], (1e-9, 1.1e-9, 1234567.0), (0, 1)),
        )
    ],
}


@pytest.mark.parametrize("runs", HARD.values(), ids=HARD)
def test_no_text_overlaps_another_or_leaves_the_figure(tmp_path: Path, runs: list[dict]) -> None:
    groups = make_groups(tmp_path, *runs)
    of_all, of_each = plan_figures(groups, questions_of(groups))
    for draw in (*of_all.values(), *of_each.values()):
        figure = draw()
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
        for text, box in boxes:
            inside = box.x0 >= 0 and box.x1 <= 800 and box.y0 >= 0
            assert inside and box.y1 <= figure.bbox.height, text
        # Boxes may have half a pixel in common.
        boxes = [(text, box.padded(-0.25)) for text, box in boxes]
        for (one, first), (two, second) in itertools.combinations(boxes, 2):
            assert not first.overlaps(second), f"{one!r} overlaps {two!r}"
        for legend, axes in itertools.product(figure.legends, figure.axes):
            assert not legend.get_window_extent().overlaps(axes.bbox)


def texts_of(figure: Figure) -> list[Text]:
    """Draws a figure at 100 dots per inch, and returns the texts that are seen on it."""
    drawn = []
    figure.set_dpi(100)
    figure.draw_without_rendering()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", lambda text, renderer: drawn.append(text))
        figure.draw_without_rendering()
    return [text for text in drawn if text.get_visible() and text.get_text()]


def test_lines_differ_in_gray() -> None:
    styles = [line_style(index) for index in range(30)]
    assert len({(str(each["linestyle"]), each["marker"]) for each in styles}) == 30
    lightness = [255 * np.dot(to_rgb(each["color"]), (0.299, 0.587, 0.114)) for each in styles]
    assert np.abs(np.diff(lightness)).min() > 40
    for one, two in itertools.pairwise(styles):
        assert one["linestyle"] != two["linestyle"] and one["marker"] != two["marker"]
    assert len(set(MARKERS)) == len(MARKERS)


def test_bands_are_drawn_for_several_seeds_alone(tmp_path: Path) -> None:
    # The second task does not differ.
    runs = [{"accuracies": [[0.1, 0.1], [0.5 + n / 10, 0.2], [0.4, 0.8]]} for n in range(2)]
    for count, bands in ((2, 1), (1, 0)):
        figure = draw_group(make_groups(tmp_path / str(count), *runs[:count])[0])
        assert len(figure.findobj(FillBetweenPolyCollection)) == bands


def test_a_comparison_has_a_panel_for_each_task_and_the_mean(tmp_path: Path) -> None:
    groups = make_groups(
        tmp_path,
        {"accuracies": rising(2, 9)},
        {"accuracies": rising(2, 9), "tasks": ["id", "ref"]},
        {"accuracies": rising(1, 9), "tasks": ["ref"]},
    )
    figure = draw_comparison(groups, "steps")
    lines = {axes.get_title(loc="left"): len(axes.lines) for axes in figure.axes}
    assert lines == {"dog": 1, "id": 2, "ref": 2, "mean over the tasks": 2}


def test_a_comparison_against_switches_is_of_groups_whose_tasks_take_turns(tmp_path: Path) -> None:
    changes = [{"task_time": 200}, {"task_time": 400}, {"schedule": "joint"}]
    changes += [{"schedule": "random"}]  # where every step draws its task, a switch means little
    groups = make_groups(tmp_path, *({"accuracies": rising(2, 9)} | each for each in changes))
    lines = plan_figures(groups)[0]["accuracy-against-switches"]().axes[0].lines
    assert [line.get_xdata().tolist() for line in lines] == [[0, 1, 2, 3], [0, 1]]
    # The last evaluations of the turns are those at steps 200, 400, 600 and 800.
    np.testing.assert_allclose(lines[0].get_ydata(), [100 * n / 9 for n in (2, 4, 6, 8)])


def test_equal_runs_give_equal_files_in_each_format(tmp_path: Path) -> None:
    run = {"accuracies": rising(7, 9), "tasks": LONG_NAMES[:7]}
    groups = make_groups(tmp_path, *(run | {"task_time": time} for time in (100, 100, 200, 200)))
    of_all, of_each = plan_figures(groups)
    plan = of_all | of_each
    stems = ["accuracy-against-steps", "accuracy-against-switches", "accuracy-after-each-turn"]
    stems += ["accuracy-of-task-time-100", "accuracy-of-task-time-200"]
    assert file_names(plan) == [f"{s}.{e}" for s in stems for e in ("png", "svg", "pdf")]
    files = render_figures(plan)
    assert files[-3:] == render_figures({stems[-1]: plan[stems[-1]]})
    for name, png, svg in zip(stems, files[::3], files[1::3], strict=True):
        with Image.open(BytesIO(png)) as image:
            image.load()
            assert image.width == 1600
        text = "".join(ElementTree.fromstring(svg).itertext())
        assert "mean over the" in text
        assert "accuracy-of" not in name or all(task in text for task in run["tasks"])


def test_of_very_many_tasks_the_first_have_panels(tmp_path: Path) -> None:
    tasks = [f"task {n}" for n in range(300)]
    (group,) = make_groups(tmp_path, {"accuracies": rising(300, 3), "tasks": tasks})
    figure = draw_group(group)
    assert [axes.get_title(loc="left") for axes in figure.axes] == tasks[:MAX_PANELS]
    assert f"the first {MAX_PANELS} of 300 tasks" in figure.get_suptitle()


def test_long_names_stay_different_where_they_are_shortened() -> None:
    alike = [f"{'a' * 40}{n}{'b' * 40}" for n in range(3)]
    for names in (LONG_NAMES, alike, ["a"]):
        short = all_shortened(names, 24)
        assert len(set(short)) == len(names) and max(map(len, short)) <= 24


def test_a_figure_higher_than_a_picture_can_be_is_drawn_smaller() -> None:
    with Image.open(BytesIO(rendered(Figure(figsize=(0.1, 400)), "png"))) as image:
        assert 65_000 < image.height < 2**16


def test_a_pdf_has_no_title_but_marks_drawn_data(tmp_path: Path) -> None:
    for name, fake_data in (("real", False), ("drawn", True)):
        (group,) = make_groups(tmp_path / name, {"fake_data": fake_data})
        figure = draw_group(group)
        height = figure.get_figheight()
        assert rendered(figure, "pdf").startswith(b"%PDF") and figure.get_figheight() < height
        titles = [text for text in texts_of(figure) if "Test accuracy" in text.get_text()]
        assert not titles and figure.get_suptitle().startswith("DRAWN") == fake_data


def test_figures_are_named_for_what_they_show(tmp_path: Path) -> None:
    weights = ["../../etc/x", "a b/É", "a-b-e", "A B:e", "x" * 300, "狗"]
    groups = make_groups(tmp_path, *({"weights": each} for each in weights))
    assert list(plan_figures(groups)[1]) == [
        "accuracy-of-weights-..-..-etc-x",
        *(
            "accuracy-of-weights-a-b-e",
            "accuracy-of-weights-a-b-e-2",
            "accuracy-of-weights-a-b-e-3",
        ),
        *(f"accuracy-of-weights-{'x' * 52}", "accuracy-of-weights"),
    ]


def returns(folder: Path, *kept: float, **settings: object) -> list[Group]:
    """Returns a group of a run on dog and id in turn; dog has 0.9, and then so much is kept."""
    accuracies = [[0.1, 0.1]]
    for share in kept:
        accuracies += [[0.9, 0.5], [share, 0.6]]
    accuracies += [[0.9, 0.5]]
    return make_groups(folder, {"accuracies": accuracies, "task_time": 100} | settings)


def test_forgetting_per_return_over_the_rounds(tmp_path: Path) -> None:
    groups = returns(tmp_path / "two", 0.4, 0.7)
    axes = draw_returns(groups).axes[0]
    assert [line.get_xdata().tolist() for line in axes.lines[:2]] == [[1, 2], [1, 2]]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [50, 20])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [10, np.nan])
    assert returning(returns(tmp_path / "one", 0.4), Choice()) == []
    joint = returns(tmp_path / "joint", 0.4, 0.7, schedule="joint")
    assert returning(joint, Choice()) == []
    # Of several groups the mean over the tasks.
    both = [*groups, *returns(tmp_path / "three", 0.4, 0.6, 0.8)]
    first, second, *_ = draw_returns(both).axes[0].lines
    np.testing.assert_allclose(first.get_ydata(), [30, 20])
    np.testing.assert_allclose(second.get_ydata(), [30, 20, 10])


def test_the_matrix_as_a_heat_map(tmp_path: Path) -> None:
    accuracies = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]
    other = [[0.1, 0.1], [0.7, 0.2], [0.2, 0.8]]
    groups = make_groups(
        tmp_path, *({"accuracies": each, "task_time": 100} for each in (accuracies, other))
    )
    axes = draw_matrices(groups).axes[0]
    expected = [["10", "80", "30"], ["10", "20", "80"]]
    assert [text.get_text() for text in axes.texts] == [*expected[0], *expected[1]]
    np.testing.assert_allclose(axes.images[0].get_array(), np.array(expected, float))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "id"]
    assert [patch.get_xy()[0] > 1 for patch in axes.patches] == [False, True]  # turns 1 and 2


def test_heat_maps_of_many_turns_tasks_and_groups_are_bounded(tmp_path: Path) -> None:
    many = {"accuracies": rising(2, MAX_TURNS + 40), "task_time": 100}
    tasks = {"accuracies": rising(70, 4), "tasks": [f"t {n}" for n in range(70)], "task_time": 100}
    groups = make_groups(tmp_path, many, tasks, *(many | {"batch": n} for n in range(1, 8)))
    figure = draw_matrices(groups)
    assert len(figure.axes) == 5 + 1 and "the first 5 of 9 groups" in figure.get_suptitle()
    assert f"of more than {MAX_TURNS} turns the last" in figure.get_suptitle()
    turns, panels = (axes.images[0].get_array().shape for axes in figure.axes[:2])
    assert turns == (2, MAX_TURNS) and panels == (MAX_PANELS, 4)
    assert len(draw_matrices(groups[2:]).axes) == 6 + 1


def test_a_choice_of_tasks_and_of_bands(tmp_path: Path) -> None:
    tasks = [f"task {n}" for n in range(8)]
    made = [{"accuracies": np.array(rising(8, 9)) * share, "tasks": tasks} for share in (0.8, 1)]
    (group,) = make_groups(tmp_path, *made)
    shown = draw_group(group, Choice(tasks=["task 3", "task 5"]))
    assert [text.get_text() for text in shown.legends[0].get_texts()] == ["task 3", "task 5"]
    widths = [
        np.ptp(
            draw_group(group, Choice(tasks=["task 3"], band=band))
            .axes[-1]
            .collections[-1]
            .get_datalim(shown.axes[-1].transData)
            .intervaly
        )
        for band in ("sd", "sem")
    ]
    assert widths[0] > widths[1]
