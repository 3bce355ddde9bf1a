"""The figures: each group's tasks over the steps, and the groups over each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.groups import Group
from reports.runs import Run
from reports.style import (
    COLOURS,
    add_legend,
    add_title,
    draw_line,
    house_style,
    look,
    new_figure,
    save,
    set_axes,
)

# More lines in one panel, or panels in a comparison, could not be told apart.
MOST_TASKS = 6
# More stretches than this are too narrow to see.
MOST_STRETCHES = 60
# Characters that fit beside a row, and above one of three panels in large and in small letters.
LONGEST_ROW_NAME = 24
LONGEST_LARGE_NAME, LONGEST_SMALL_NAME = 36, 41
MEAN = "mean over the tasks"
MEAN_LOOK = {"color": "0.45", "linestyle": (0, (3, 2)), "linewidth": 1.1}


@dataclass(frozen=True)
class Stretch:
    """Steps in a row that train one task."""

    start: int
    end: int
    task: int


def stretches_of(group: Group) -> tuple[list[Stretch], str]:
    """The stretches to shade, and why there are none where that has to be said."""
    schedule, last = group.first.schedule, group.last_step
    kind = group.first.settings["schedule"]
    if len(group.tasks) == 1:
        return [], ""
    if kind == "joint":
        return [], "all tasks are trained at every step"
    if kind == "random":
        return [], "every step trains a task drawn at random: too many stretches to shade"
    stretches, start = [], 0
    while start < last:
        end = min(schedule.next_switch(start), last)
        stretches.append(Stretch(start, int(end), schedule.tasks_at(start)[0]))
        start = int(end)
        if len(stretches) > MOST_STRETCHES:
            switches = f"{schedule.switches(last):,} switches"
            return [], f"{switches} of the task: too many stretches to shade"
    return stretches, ""


def draw_group(group: Group) -> Figure:
    """Each task's accuracy over the steps, and when it was trained."""
    stretches, why_none = stretches_of(group)
    draw = draw_together if len(group.tasks) <= MOST_TASKS else draw_apart
    figure = draw(group, stretches)
    add_title(
        figure,
        *drawn_warning([group]),
        f"Test accuracy: {group.title}",
        why_none,
        band_in_words([group]),
        "; ".join(f"seed {run.settings['seed']} {run.progress}" for run in mentioned(group)),
    )
    return figure


def mentioned(group: Group) -> list[Run]:
    """The unfinished runs that a title has to name one by one: a lone one is in the label."""
    return group.unfinished if len(group.runs) > 1 else []


def drawn_warning(groups: Sequence[Group]) -> list[str]:
    """The line that keeps drawn data from being taken for real data, where it is needed."""
    drawn = [group.first.drawn for group in groups]
    if not any(drawn):
        return []
    which = "DRAWN DATA" if all(drawn) else "DRAWN DATA where the label says so"
    return [f"{which}: says nothing of real images"]


def band_in_words(groups: Sequence[Group]) -> str:
    """What the lines and the bands are, where some are means."""
    if max(len(group.runs) for group in groups) == 1:
        return ""
    unequal = any(len({run.last_step for run in group.runs}) > 1 for group in groups)
    those = " that came so far" if unequal else ""
    return f"mean of the seeds{those}, in a band of ± one standard deviation"


def draw_together(group: Group, stretches: Sequence[Stretch]) -> Figure:
    """All tasks in one panel, below a row for each task that shows when it was trained."""
    tasks = group.tasks
    row_height = 0.19 * len(tasks) if stretches else 0
    figure = new_figure(4.3 + row_height + 0.2 * len(tasks) / 2)
    if stretches:
        rows, axes = figure.subplots(2, 1, sharex=True, height_ratios=[row_height, 3.2])
        draw_rows(rows, tasks, stretches)
    else:
        axes = figure.subplots()
    for stretch in stretches:
        axes.axvspan(stretch.start, stretch.end, color=COLOURS[stretch.task], alpha=0.09, lw=0)
    for stretch in stretches[1:]:
        axes.axvline(stretch.start, color="0.75", linewidth=0.6, zorder=0.8)
    curves = group.curves
    for index in range(len(tasks)):
        draw_line(axes, curves.steps, (curves.mean[:, index], curves.deviation[:, index]), index)
    set_axes(axes, max(group.last_step, 1))
    axes.set_ylabel("test accuracy, %")
    axes.set_xlabel("steps")
    add_legend(figure, [Line2D([], [], **look(index)) for index in range(len(tasks))], tasks)
    return figure


def draw_rows(axes: Axes, tasks: Sequence[str], stretches: Sequence[Stretch]) -> None:
    """A row for each task, filled while it is trained."""
    for stretch in stretches:
        width = stretch.end - stretch.start
        axes.barh(stretch.task, width, left=stretch.start, height=0.7, color=COLOURS[stretch.task])
    axes.set_yticks(range(len(tasks)), shortened(tasks, LONGEST_ROW_NAME), fontsize=8)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_title("trained", fontsize=8, loc="left", pad=2)


def shortened(names: Sequence[str], longest: int) -> list[str]:
    """The names without their middles where they are long, if they can still be told apart."""
    half = longest // 2
    short = [
        name if len(name) <= longest else f"{name[:half]}…{name[half + 1 - longest :]}"
        for name in names
    ]
    return short if len(set(short)) == len(names) else list(names)


def draw_apart(group: Group, stretches: Sequence[Stretch]) -> Figure:
    """A panel for each task, shaded while that task is trained."""
    tasks, curves = group.tasks, group.curves
    figure, panels = new_panels(len(tasks), 3, 1.35, "steps")
    size = 8 if max(map(len, tasks)) <= LONGEST_LARGE_NAME else 7
    names = shortened(tasks, LONGEST_SMALL_NAME)
    for index, (axes, name) in enumerate(zip(panels, names, strict=True)):
        for stretch in stretches:
            if stretch.task == index:
                axes.axvspan(stretch.start, stretch.end, color="0.82", lw=0)
        axes.plot(curves.steps, 100 * curves.mean[:, -1], **MEAN_LOOK)
        draw_line(axes, curves.steps, (curves.mean[:, index], curves.deviation[:, index]), 0)
        set_axes(axes, max(group.last_step, 1), ticks=3)
        axes.set_title(name, fontsize=size, loc="left", pad=3)
    handles = [Line2D([], [], **look(0)), Line2D([], [], **MEAN_LOOK)]
    names = ["the task that the panel names", MEAN]
    if stretches:
        handles.append(Patch(color="0.82"))
        names.append("while it is trained")
    add_legend(figure, handles, names)
    return figure


def new_panels(count: int, columns: int, height: float, against: str) -> tuple[Figure, list[Axes]]:
    """A figure of panels, row by row, that share both axes: accuracy against something."""
    rows = -(-count // columns)
    figure = new_figure(1.5 + height * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for axes in panels[count:]:
        axes.remove()
    for axes in panels[max(count - columns, 0) : count]:
        axes.tick_params(labelbottom=True)
    for axes in panels[columns * (rows - 1) : count]:
        axes.set_xlabel(against)
    figure.supylabel("test accuracy, %", fontsize=9)
    return figure, panels[:count]


def draw_comparison(groups: Sequence[Group], against: str) -> Figure:
    """The groups over each other, a panel for each task, against "steps" or "switches"."""
    names = list(dict.fromkeys(name for group in groups for name in group.tasks))
    shown = panels_of(groups, names)
    columns = min(len(shown), 2)
    what = "steps" if against == "steps" else "switches of the task done"
    figure, panels = new_panels(len(shown), columns, 2.1 if columns == 2 else 3.2, what)
    right = 0.0
    for axes, name in zip(panels, shown, strict=True):
        for index, group in enumerate(groups):
            if has_line(group, name, len(shown)):
                right = max(right, draw_of(axes, name, index, group, against))
        axes.set_title(name, fontsize=9, loc="left")
    for axes in panels:
        set_axes(axes, max(right, 1), ticks=6 if columns == 1 else 4)
    add_legend(
        figure,
        [Line2D([], [], **look(index)) for index in range(len(groups))],
        [group.title for group in groups],
    )
    add_title(
        figure,
        *drawn_warning(groups),
        f"Test accuracy of {len(groups)} groups of runs against {against}",
        "" if len(names) <= MOST_TASKS else f"more than {MOST_TASKS} tasks: only their mean",
        "at the last test before each switch" if against == "switches" else "",
        band_in_words(groups),
    )
    return figure


def panels_of(groups: Sequence[Group], names: Sequence[str]) -> list[str]:
    """What gets a panel: each task if they are few, and the mean if a group has more than one."""
    if len(names) > MOST_TASKS:
        return [MEAN]
    return [*names, MEAN] if any(len(group.tasks) > 1 for group in groups) else list(names)


def has_line(group: Group, name: str, panels: int) -> bool:
    """Whether a group has a line in a panel; the mean of one task is in that task's panel."""
    return name in group.tasks or (name == MEAN and (len(group.tasks) > 1 or panels == 1))


def draw_of(axes: Axes, name: str, index: int, group: Group, against: str) -> float:
    """Draws a group's line in a panel; returns how far right it goes."""
    column = -1 if name == MEAN else group.tasks.index(name)
    curves = group.curves
    kept = slice(None)
    x = curves.steps
    if against == "switches":
        # Of the tests between two switches the last: all would lie over each other.
        x = curves.switches
        kept = np.append(np.diff(x) > 0, True)
    draw_line(axes, x[kept], (curves.mean[kept, column], curves.deviation[kept, column]), index)
    return float(x[-1])


def switching(groups: Sequence[Group]) -> list[Group]:
    """The groups whose tasks take turns, and whose task changed."""
    return [
        group
        for group in groups
        if group.first.settings["schedule"] == "cycle" and group.curves.switches[-1] > 0
    ]


def write_figures(groups: Sequence[Group], folder: Path) -> list[Path]:
    """Draws and writes all figures; returns their files."""
    written = []
    with house_style():
        for number, group in enumerate(groups, start=1):
            written += save(draw_group(group), folder, f"group_{number}")
        for against, compared in (("steps", groups), ("switches", switching(groups))):
            if len(compared) > 1:
                written += save(draw_comparison(compared, against), folder, f"against_{against}")
    return written
