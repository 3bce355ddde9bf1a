import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from reports.figures import (
    Turn,
    draw_comparison,
    draw_figures,
    draw_group,
    switching,
    turns_of,
    write_figures,
)
from reports.style import MARKERS, line_style, report_style
from tests.support.run_folders import LONG_NAMES, groups_of, rising, write_run


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    """Draws in the report's style."""
    with report_style():
        yield


def test_turns_follow_the_schedule(tmp_path: Path) -> None:
    (group,) = groups_of(write_run(tmp_path / "0", rising(2, 6), task_time=200))
    assert turns_of(group) == ([Turn(0, 200, 0), Turn(200, 400, 1), Turn(400, 500, 0)], "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schedule": "random"}, "drawn at random: too many turns to shade"),
        ({"task_time": 3}, "166 switches of task: too many turns to shade"),
        ({"schedule": "joint"}, "all tasks are trained at every step"),
    ],
)
def test_a_figure_without_shading_says_why(tmp_path: Path, changes: dict, expected: str) -> None:
    (group,) = groups_of(write_run(tmp_path / "0", rising(2, 6), **changes))
    assert turns_of(group)[0] == []
    figure = draw_group(group)
    assert expected in figure.get_suptitle() and len(figure.axes) == 1


def test_titles_name_drawn_data(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(drawn), fake_data=drawn) for drawn in (False, True)]
    real, drawn, both = (figure.get_suptitle() for _, figure in draw_figures(groups_of(*runs)))
    assert "DRAWN" not in real and drawn.startswith("DRAWN DATA: ")
    assert both.startswith("DRAWN DATA where the label says so")


def test_titles_name_unfinished_runs(tmp_path: Path) -> None:
    whole = write_run(tmp_path / "0", rising(2, 3))
    short = write_run(tmp_path / "1", rising(2, 2), seed=1, finished=False, max_steps=200)
    alone = draw_group(groups_of(short)[0]).get_suptitle()
    both = draw_group(groups_of(whole, short)[0]).get_suptitle()
    assert alone.count("unfinished: 100 of 200 steps") == 1
    assert "seed 1 unfinished: 100 of 200 steps" in both
    assert "mean over the seeds that have reached a step" in both


# Two groups that differ in much have long labels; a $ in them is a $.
MUCH = [
    {
        **{"weights": f"${n}$" * 5, "dog_breeds": [f"${n}$", "boxer", "pug", "poodle"]},
        **{"image_size": 28 + n, "filters": [10 + n, 20], "dropout": 0.8 + n / 10},
        **{"learning_rate": 0.1 + n, "batch": 10 + n, "l2": 0.1 + n},
    }
    for n in range(2)
]
# Runs whose figures are hard to draw: their accuracies and settings.
HARD = {
    "long": [(rising(20, 20), {"tasks": LONG_NAMES, "task_time": 100})],
    "few long": [(rising(6, 20), {"tasks": LONG_NAMES[:6]})],
    "short": [(rising(2, 1), {"finished": False, "max_steps": 900})],
    "several": [
        (rising(3, 30), {"tasks": ["x", "y", "z"], "task_time": time, "seed": seed})
        for time, seed in itertools.product((50, 100, 200), range(2))
    ],
    "many": [
        (rising(8, 20), {"tasks": LONG_NAMES[n : n + 8], "fake_data": n > 3})
        for n in range(0, 9, 2)
    ],
    "differing": [
        (rising(2, 3), {"finished": False, "max_steps": 900, "seed": seed, **settings})
        for seed, settings in enumerate((*MUCH, MUCH[1]))
    ],
    "twenty groups": [
        (
            rising(2, 9),
            {"task_time": 100 + n, "learning_rate": 0.001 * n, "l2": 1e-5 * n, "batch": 10 + n}
            | {"network": ["conv"] * (n % 4 + 1) + ["fc"], "filters": [n]},
        )
        for n in range(1, 21)
    ],
}


@pytest.mark.parametrize("runs", HARD.values(), ids=HARD)
def test_no_text_overlaps_another_or_leaves_the_figure(tmp_path: Path, runs: list) -> None:
    folders = [
        write_run(tmp_path / str(n), accuracies, **settings)
        for n, (accuracies, settings) in enumerate(runs)
    ]
    for _, figure in draw_figures(groups_of(*folders)):
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
        for text, box in boxes:
            inside = box.x0 >= 0 and box.x1 <= 800 and box.y0 >= 0
            assert inside and box.y1 <= figure.bbox.height, text
        for (one, first), (two, second) in itertools.combinations(boxes, 2):
            assert not overlap(first, second), f"{one!r} overlaps {two!r}"
        (legend,) = figure.legends
        for axes in figure.axes:
            assert not overlap(legend.get_window_extent(), axes.bbox)


def texts_of(figure: Figure) -> list[Text]:
    """Draws a figure at 100 dots per inch, and returns the texts that are seen on it."""
    drawn = []
    figure.set_dpi(100)
    figure.draw_without_rendering()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", lambda text, renderer: drawn.append(text))
        figure.draw_without_rendering()
    return [text for text in drawn if text.get_visible() and text.get_text()]


def overlap(one: Bbox, two: Bbox) -> bool:
    """Tells whether two boxes have more than half a pixel in common both ways."""
    width = min(one.x1, two.x1) - max(one.x0, two.x0)
    height = min(one.y1, two.y1) - max(one.y0, two.y0)
    return width > 0.5 and height > 0.5


def test_lines_differ_in_gray() -> None:
    styles = [line_style(index) for index in range(30)]
    assert len({(str(each["linestyle"]), each["marker"]) for each in styles}) == 30
    for one, two in itertools.pairwise(styles):
        assert abs(lightness(one["color"]) - lightness(two["color"])) > 40
        assert one["linestyle"] != two["linestyle"] and one["marker"] != two["marker"]
    assert len(set(MARKERS)) == len(MARKERS)


def lightness(color: str) -> float:
    """Returns the lightness of a color in gray, 0 to 255."""
    red, green, blue = bytes.fromhex(color[1:])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_bands_are_drawn_for_several_seeds_alone(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / str(n), [[0.1, 0.1], [0.5 + n / 10, 0.2], [0.4, 0.8]], seed=n)
        for n in range(2)
    ]
    for chosen, bands in ((runs, 1), (runs[:1], 0)):  # the second task does not differ
        figure = draw_group(groups_of(*chosen)[0])
        assert len(figure.findobj(FillBetweenPolyCollection)) == bands


def test_a_comparison_has_a_panel_for_each_task_and_the_mean(tmp_path: Path) -> None:
    groups = groups_of(
        write_run(tmp_path / "0", rising(2, 9)),
        write_run(tmp_path / "1", rising(2, 9), tasks=["id", "ref"]),
        write_run(tmp_path / "2", rising(1, 9), tasks=["ref"]),
    )
    figure = draw_comparison(groups, "steps")
    lines = {axes.get_title(loc="left"): len(axes.lines) for axes in figure.axes}
    assert lines == {"dog": 1, "id": 2, "ref": 2, "mean over the tasks": 2}


def test_a_comparison_against_switches_is_of_groups_whose_tasks_take_turns(tmp_path: Path) -> None:
    fast = write_run(tmp_path / "0", rising(2, 9), task_time=200)
    slow = write_run(tmp_path / "1", rising(2, 9), task_time=400)
    joint = write_run(tmp_path / "2", rising(2, 9), schedule="joint")
    # Where every step draws its task, a switch means little.
    random = write_run(tmp_path / "3", rising(2, 9), schedule="random")
    groups = groups_of(fast, slow, joint, random)
    assert switching(groups) == groups[:2]
    figure = draw_comparison(switching(groups), "switches")
    lines = figure.axes[0].lines
    assert [line.get_xdata().tolist() for line in lines] == [[0, 1, 2, 3], [0, 1]]
    # The last evaluations of the turns are those at steps 200, 400, 600 and 800.
    np.testing.assert_allclose(lines[0].get_ydata(), [100 * n / 9 for n in (2, 4, 6, 8)])


def test_equal_runs_give_equal_files_as_png_and_svg(tmp_path: Path) -> None:
    names = LONG_NAMES[:10]
    runs = [
        write_run(tmp_path / f"{time}{n}", rising(10, 9), tasks=names, task_time=time, seed=n)
        for time, n in itertools.product((100, 200), range(2))
    ]
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        written = write_figures(groups_of(*runs), folder)
    stems = ["group_1", "group_2", "against_steps", "against_switches"]
    assert [path.name for path in written] == [f"{s}.{e}" for s in stems for e in ("png", "svg")]
    assert all(
        path.read_bytes() == (tmp_path / "first" / path.name).read_bytes() for path in written
    )
    for png, svg in zip(written[::2], written[1::2], strict=True):
        with Image.open(png) as image:
            image.load()
            assert image.width == 1600
        text = "".join(ElementTree.parse(svg).getroot().itertext())
        assert "mean over the tasks" in text
        assert not svg.name.startswith("group") or all(name in text for name in names)
