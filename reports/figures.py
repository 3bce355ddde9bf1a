"""Figures: the accuracies of each group's tasks, and of the groups in comparison."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from io import BytesIO

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.groups import Curves, Group, drawn_data_warning, shortened
from reports.style import (
    COLORS,
    SETTINGS,
    WIDTH,
    add_legend,
    add_title,
    draw_line,
    line_style,
    set_axes,
)

FORMATS = ("png", "svg")
DOTS_PER_INCH = 200  # twice as many as the figures' size is of, for dense screens
MAX_PIXELS = 2**16 - 1  # in height, for PNG
# More lines in one panel, or panels in a comparison, could not be distinguished.
MAX_TASKS = 6
# More panels would take minutes to draw. Omniglot has 50 alphabets.
MAX_PANELS = 51
# More turns are too narrow to see.
MAX_TURNS = 60
# Characters that fit beside a row, above one of two panels, and above one of three in large and in
# small letters.
MAX_ROW_NAME = 24
MAX_PANEL_NAME = 54
MAX_LARGE_NAME, MAX_SMALL_NAME = 36, 41
MEAN = "mean over the tasks"
MEAN_STYLE = {"color": "0.45", "linestyle": (0, (3, 2)), "linewidth": 1.1}


# A task's stay in the schedule: its first step, the first step after it, and the task's index.
Turn = tuple[int, int, int]


def turns_of(group: Group) -> tuple[list[Turn], str]:
    """Returns the turns to shade; where there are none, the reason if the title needs one."""
    settings, schedule, last = group.settings.tasks, group.runs[0].schedule, group.curves.x[-1]
    if len(group.tasks) == 1:
        return [], ""
    if settings.schedule == "joint":
        return [], "all tasks are trained at every step"
    if settings.schedule == "random":
        return [], "every step trains a task drawn at random: too many turns to shade"
    if schedule.switches(last) >= MAX_TURNS:
        return [], f"{schedule.switches(last):,} switches of task: too many turns to shade"
    time = settings.task_time
    return [
        (start, min(start + time, last), schedule.tasks_at(start)[0])
        for start in range(0, last, time)
    ], ""


def draw_group(group: Group) -> Figure:
    """Draws each task's accuracy over the steps, and when it was trained."""
    turns, reason = turns_of(group)
    draw = draw_together if len(group.tasks) <= MAX_TASKS else draw_apart
    figure = draw(group, turns)
    # The title of a lone run names its progress already.
    unfinished = group.unfinished if len(group.runs) > 1 else []
    add_title(
        figure,
        drawn_data_warning([group]),
        f"Test accuracy: {group.title}",
        f"the first {MAX_PANELS} of {len(group.tasks):,} tasks" * (len(group.tasks) > MAX_PANELS),
        reason,
        averaging([group]),
        "; ".join(f"seed {run.seed} {run.progress}" for run in unfinished),
    )
    return figure


def averaging(groups: Sequence[Group]) -> str:
    """Returns the meaning of the lines and bands; empty where each group is a single run."""
    if max(len(group.runs) for group in groups) == 1:
        return ""
    unequal = any(len({run.last_step for run in group.runs}) > 1 for group in groups)
    which = " that have reached a step" if unequal else ""
    return f"mean over the seeds{which}, with a band of ± one standard deviation"


def draw_together(group: Group, turns: Sequence[Turn]) -> Figure:
    """Draws all tasks in one panel, below a row for each task that shows when it was trained."""
    tasks = group.tasks
    row_height = 0.19 * len(tasks) if turns else 0
    height = 4.3 + row_height + 0.1 * len(tasks)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    if turns:
        rows, axes = figure.subplots(2, 1, sharex=True, height_ratios=[row_height, 3.2])
        draw_rows(rows, tasks, turns)
    else:
        axes = figure.subplots()
    for start, end, task in turns:
        axes.axvspan(start, end, color=COLORS[task], alpha=0.09, lw=0)
    for start, _, _ in turns[1:]:
        axes.axvline(start, color="0.75", linewidth=0.6, zorder=0.8)
    for index in range(len(tasks)):
        draw_line(axes, group.curves, index, index)
    set_axes(axes, group.curves.x[-1])
    axes.set_ylabel("test accuracy, %")
    axes.set_xlabel("steps")
    add_legend(figure, tasks)
    return figure


def draw_rows(axes: Axes, tasks: Sequence[str], turns: Sequence[Turn]) -> None:
    """Draws a row for each task, filled while it is trained."""
    for start, end, task in turns:
        axes.barh(task, end - start, left=start, height=0.7, color=COLORS[task])
    axes.set_yticks(range(len(tasks)), all_shortened(tasks, MAX_ROW_NAME), fontsize=8)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_title("trained", fontsize=8, loc="left", pad=2)


def all_shortened(names: Sequence[str], width: int) -> list[str]:
    """Returns the names with "…" for the middle of long ones, and numbers where they are equal."""
    short = [shortened(name, width) for name in names]
    if len(set(short)) == len(names):
        return short
    return [f"{number} {shortened(name, width - 3)}" for number, name in enumerate(names)]


def draw_apart(group: Group, turns: Sequence[Turn]) -> Figure:
    """Draws a panel for each task, up to a number of them, shaded while that task is trained."""
    tasks, curves = group.tasks[:MAX_PANELS], group.curves
    figure, panels = new_panels(len(tasks), 3, 1.35, "steps")
    size = 8 if max(map(len, tasks)) <= MAX_LARGE_NAME else 7
    names = all_shortened(tasks, MAX_SMALL_NAME)
    for index, (axes, name) in enumerate(zip(panels, names, strict=True)):
        for start, end, task in turns:
            if task == index:
                axes.axvspan(start, end, color="0.82", lw=0)
        axes.plot(curves.x, 100 * curves.mean[:, -1], **MEAN_STYLE)
        draw_line(axes, curves, index, 0)
        set_axes(axes, curves.x[-1], ticks=3)
        axes.set_title(name, fontsize=size, loc="left", pad=3)
    names = ["the task that the panel names", MEAN, *(["while it is trained"] if turns else [])]
    handles = [Line2D([], [], **line_style(0)), Line2D([], [], **MEAN_STYLE), Patch(color="0.82")]
    add_legend(figure, names, handles[: len(names)])
    return figure


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


def draw_comparison(groups: Sequence[Group], against: str) -> Figure:
    """Draws the groups in comparison, a panel for each task, against "steps" or "switches"."""
    lines = lines_of(groups)
    columns = min(len(lines), 2)
    x_label = "steps" if against == "steps" else "switches of task"
    figure, panels = new_panels(len(lines), columns, 2.1 if columns == 2 else 3.2, x_label)
    curves = [group.curves if against == "steps" else by_turn(group) for group in groups]
    right = max(each.x[-1] for each in curves)
    for axes, (name, drawn) in zip(panels, lines.items(), strict=True):
        for index, column in drawn:
            draw_line(axes, curves[index], column, index)
        axes.set_title(shortened(name, MAX_PANEL_NAME), fontsize=9, loc="left")
        set_axes(axes, right, ticks=6 if columns == 1 else 4)
    add_legend(figure, [group.title for group in groups])
    add_title(
        figure,
        drawn_data_warning(groups),
        f"Test accuracy of {len(groups)} groups of runs against {x_label}",
        f"more than {MAX_TASKS} tasks: only their mean" if list(lines) == [MEAN] else "",
        "at the last evaluation of each turn" if against == "switches" else "",
        averaging(groups),
    )
    return figure


def lines_of(groups: Sequence[Group]) -> dict[str, list[tuple[int, int]]]:
    """Returns each panel's lines in a comparison: indices of groups, and columns of their curves.

    There is a panel for each task if they are few, and one for the mean over several tasks.
    """
    names = dict.fromkeys(name for group in groups for name in group.tasks)
    if len(names) > MAX_TASKS:
        return {MEAN: [(index, -1) for index in range(len(groups))]}
    lines = {
        name: [
            (i, group.tasks.index(name)) for i, group in enumerate(groups) if name in group.tasks
        ]
        for name in names
    }
    several = [(i, -1) for i, group in enumerate(groups) if len(group.tasks) > 1]
    return lines | ({MEAN: several} if several else {})


def by_turn(group: Group) -> Curves:
    """Returns the accuracies at the last evaluation of each turn, against the switches before it.

    All evaluations of a turn would lie over each other.
    """
    curves = group.curves
    switches = np.array([group.runs[0].schedule.switches(step) for step in curves.x])
    last = np.append(np.diff(switches) > 0, True)
    return Curves(switches[last], curves.mean[last], curves.deviation[last])


def plan_figures(groups: Sequence[Group]) -> dict[str, Callable[[], Figure]]:
    """Returns functions that draw a figure of each group, and comparisons of several, by name."""
    plan = {f"group_{n}": partial(draw_group, group) for n, group in enumerate(groups, start=1)}
    # Where every step draws its task, a switch means little.
    cycles = [group for group in groups if group.settings.tasks.schedule == "cycle"]
    switching = [group for group in cycles if by_turn(group).x[-1] > 0]
    for against, compared in (("steps", groups), ("switches", switching)):
        if len(compared) > 1:
            plan[f"against_{against}"] = partial(draw_comparison, compared, against)
    return plan


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
    """Returns the figure as PNG or SVG."""
    dots = min(DOTS_PER_INCH, MAX_PIXELS / figure.get_figheight())
    facts = {"png": {"dpi": dots}, "svg": {"metadata": {"Date": None}}}  # equal figures
    contents = BytesIO()
    figure.savefig(contents, format=form, **facts[form])
    return contents.getvalue()
