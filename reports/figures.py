"""Figures: the accuracies of each group's tasks, and of the groups in comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.groups import Group
from reports.style import (
    COLORS,
    add_legend,
    add_title,
    draw_line,
    line_style,
    new_figure,
    report_style,
    save,
    set_axes,
)

# More lines in one panel, or panels in a comparison, could not be distinguished.
MAX_TASKS = 6
# More turns are too narrow to see.
MAX_TURNS = 60
# Characters that fit beside a row, and above one of three panels in large and in small letters.
MAX_ROW_NAME = 24
MAX_LARGE_NAME, MAX_SMALL_NAME = 36, 41
MEAN = "mean over the tasks"
MEAN_STYLE = {"color": "0.45", "linestyle": (0, (3, 2)), "linewidth": 1.1}


@dataclass(frozen=True)
class Turn:
    """A task's stay in the schedule."""

    start: int  # its first step
    end: int  # the first step after it
    task: int  # the task's index


def turns_of(group: Group) -> tuple[list[Turn], str]:
    """Returns the turns to shade; where there are none, the reason if the title needs one."""
    schedule, last = group.first.schedule, group.last_step
    kind = group.first.settings.tasks.schedule
    if len(group.tasks) == 1:
        return [], ""
    if kind == "joint":
        return [], "all tasks are trained at every step"
    if kind == "random":
        return [], "every step trains a task drawn at random: too many turns to shade"
    turns, start = [], 0
    while start < last:
        end = int(min(schedule.next_switch(start), last))
        turns.append(Turn(start, end, schedule.tasks_at(start)[0]))
        start = end
        if len(turns) > MAX_TURNS:
            return [], f"{schedule.switches(last):,} switches of task: too many turns to shade"
    return turns, ""


def draw_group(group: Group) -> Figure:
    """Draws each task's accuracy over the steps, and when it was trained."""
    turns, reason = turns_of(group)
    draw = draw_together if len(group.tasks) <= MAX_TASKS else draw_apart
    figure = draw(group, turns)
    # The title of a lone run names its progress already.
    unfinished = group.unfinished if len(group.runs) > 1 else []
    add_title(
        figure,
        *drawn_data_warning([group]),
        f"Test accuracy: {group.title}",
        reason,
        averaging([group]),
        "; ".join(f"seed {run.seed} {run.progress}" for run in unfinished),
    )
    return figure


def drawn_data_warning(groups: Sequence[Group]) -> list[str]:
    """Returns the line of a title that keeps drawn data from being taken for real data."""
    drawn = [group.first.settings.data.fake_data for group in groups]
    if not any(drawn):
        return []
    which = "DRAWN DATA" if all(drawn) else "DRAWN DATA where the label says so"
    return [f"{which}: says nothing about real images"]


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
    figure = new_figure(4.3 + row_height + 0.2 * len(tasks) / 2)
    if turns:
        rows, axes = figure.subplots(2, 1, sharex=True, height_ratios=[row_height, 3.2])
        draw_rows(rows, tasks, turns)
    else:
        axes = figure.subplots()
    for turn in turns:
        axes.axvspan(turn.start, turn.end, color=COLORS[turn.task], alpha=0.09, lw=0)
    for turn in turns[1:]:
        axes.axvline(turn.start, color="0.75", linewidth=0.6, zorder=0.8)
    curves = group.curves
    for index in range(len(tasks)):
        draw_line(axes, curves.steps, (curves.mean[:, index], curves.deviation[:, index]), index)
    set_axes(axes, max(group.last_step, 1))
    axes.set_ylabel("test accuracy, %")
    axes.set_xlabel("steps")
    add_legend(figure, [Line2D([], [], **line_style(index)) for index in range(len(tasks))], tasks)
    return figure


def draw_rows(axes: Axes, tasks: Sequence[str], turns: Sequence[Turn]) -> None:
    """Draws a row for each task, filled while it is trained."""
    for turn in turns:
        width = turn.end - turn.start
        axes.barh(turn.task, width, left=turn.start, height=0.7, color=COLORS[turn.task])
    axes.set_yticks(range(len(tasks)), shortened(tasks, MAX_ROW_NAME), fontsize=8)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_title("trained", fontsize=8, loc="left", pad=2)


def shortened(names: Sequence[str], width: int) -> list[str]:
    """Returns the names with "…" for the middle of long ones, if they still differ."""
    half = width // 2
    short = [
        name if len(name) <= width else f"{name[:half]}…{name[half + 1 - width :]}"
        for name in names
    ]
    return short if len(set(short)) == len(names) else list(names)


def draw_apart(group: Group, turns: Sequence[Turn]) -> Figure:
    """Draws a panel for each task, shaded while that task is trained."""
    tasks, curves = group.tasks, group.curves
    figure, panels = new_panels(len(tasks), 3, 1.35, "steps")
    size = 8 if max(map(len, tasks)) <= MAX_LARGE_NAME else 7
    names = shortened(tasks, MAX_SMALL_NAME)
    for index, (axes, name) in enumerate(zip(panels, names, strict=True)):
        for turn in turns:
            if turn.task == index:
                axes.axvspan(turn.start, turn.end, color="0.82", lw=0)
        axes.plot(curves.steps, 100 * curves.mean[:, -1], **MEAN_STYLE)
        draw_line(axes, curves.steps, (curves.mean[:, index], curves.deviation[:, index]), 0)
        set_axes(axes, max(group.last_step, 1), ticks=3)
        axes.set_title(name, fontsize=size, loc="left", pad=3)
    handles = [Line2D([], [], **line_style(0)), Line2D([], [], **MEAN_STYLE)]
    names = ["the task that the panel names", MEAN]
    if turns:
        handles.append(Patch(color="0.82"))
        names.append("while it is trained")
    add_legend(figure, handles, names)
    return figure


def new_panels(count: int, columns: int, height: float, x_label: str) -> tuple[Figure, list[Axes]]:
    """Returns a figure and its panels, each `height` inches, row by row; they share both axes."""
    rows = -(-count // columns)
    figure = new_figure(1.5 + height * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for axes in panels[count:]:
        axes.remove()
    for axes in panels[max(count - columns, 0) : count]:
        axes.tick_params(labelbottom=True)
    for axes in panels[columns * (rows - 1) : count]:
        axes.set_xlabel(x_label)
    figure.supylabel("test accuracy, %", fontsize=9)
    return figure, panels[:count]


def draw_comparison(groups: Sequence[Group], against: str) -> Figure:
    """Draws the groups in comparison, a panel for each task, against "steps" or "switches"."""
    names = list(dict.fromkeys(name for group in groups for name in group.tasks))
    shown = panels_of(groups, names)
    columns = min(len(shown), 2)
    x_label = "steps" if against == "steps" else "switches of task"
    figure, panels = new_panels(len(shown), columns, 2.1 if columns == 2 else 3.2, x_label)
    right = 0.0
    for axes, name in zip(panels, shown, strict=True):
        for index, group in enumerate(groups):
            if has_line(group, name, len(shown)):
                right = max(right, draw_in_panel(axes, name, index, group, against))
        axes.set_title(name, fontsize=9, loc="left")
    for axes in panels:
        set_axes(axes, max(right, 1), ticks=6 if columns == 1 else 4)
    add_legend(
        figure,
        [Line2D([], [], **line_style(index)) for index in range(len(groups))],
        [group.title for group in groups],
    )
    add_title(
        figure,
        *drawn_data_warning(groups),
        f"Test accuracy of {len(groups)} groups of runs against {x_label}",
        "" if len(names) <= MAX_TASKS else f"more than {MAX_TASKS} tasks: only their mean",
        "at the last evaluation of each turn" if against == "switches" else "",
        averaging(groups),
    )
    return figure


def panels_of(groups: Sequence[Group], names: Sequence[str]) -> list[str]:
    """Returns the panels' names: the tasks if they are few, and the mean over several tasks."""
    if len(names) > MAX_TASKS:
        return [MEAN]
    return [*names, MEAN] if any(len(group.tasks) > 1 for group in groups) else list(names)


def has_line(group: Group, name: str, panels: int) -> bool:
    """Tells whether a group has a line in a panel; one task's mean is in that task's panel."""
    return name in group.tasks or (name == MEAN and (len(group.tasks) > 1 or panels == 1))


def draw_in_panel(axes: Axes, name: str, index: int, group: Group, against: str) -> float:
    """Draws a group's line in a panel, and returns the largest x on it."""
    column = -1 if name == MEAN else group.tasks.index(name)
    curves = group.curves
    kept = slice(None)
    x = curves.steps
    if against == "switches":
        # The last evaluation of each turn: all of a turn would lie over each other.
        x = curves.switches
        kept = np.append(np.diff(x) > 0, True)
    draw_line(axes, x[kept], (curves.mean[kept, column], curves.deviation[kept, column]), index)
    return float(x[-1])


def switching(groups: Sequence[Group]) -> list[Group]:
    """Returns the groups whose tasks take turns, and that have switched at least once."""
    return [
        group
        for group in groups
        if group.first.settings.tasks.schedule == "cycle" and group.curves.switches[-1] > 0
    ]


def draw_figures(groups: Sequence[Group]) -> Iterator[tuple[str, Figure]]:
    """Yields the name and the figure of each group, and of the comparisons of several."""
    for number, group in enumerate(groups, start=1):
        yield f"group_{number}", draw_group(group)
    for against, compared in (("steps", groups), ("switches", switching(groups))):
        if len(compared) > 1:
            yield f"against_{against}", draw_comparison(compared, against)


def write_figures(groups: Sequence[Group], folder: Path) -> list[Path]:
    """Draws all figures into a folder, and returns their files."""
    with report_style():
        return [
            path for name, figure in draw_figures(groups) for path in save(figure, folder, name)
        ]
