"""Figures of groups in comparison: their accuracies over steps or switches."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reports.choice import DEFAULT, Choice, tasks_shown
from reports.figures import MEAN, averaging
from reports.groups import Curves, Group, drawn_data_warning, shortened
from reports.style import add_legend, add_title, draw_line, new_panels, set_axes

# More panels could not be distinguished, and in small panels no more lines.
MAX_TASKS = 6
MAX_GROUPS = 6
MAX_PANEL_NAME = 54  # characters that fit above one of two panels


def draw_comparison(groups: Sequence[Group], against: str, choice: Choice = DEFAULT) -> Figure:
    """Draws the groups in comparison, a panel for each task, against "steps" or "switches"."""
    lines = lines_of(groups, choice)
    columns = min(len(lines), 2)
    x_label = "steps" if against == "steps" else "switches of task"
    figure, panels = new_panels(len(lines), columns, 2.1 if columns == 2 else 3.2, x_label)
    curves = [group.curves if against == "steps" else by_turn(group) for group in groups]
    right = max(each.x[-1] for each in curves)
    for axes, (name, drawn) in zip(panels, lines.items(), strict=True):
        for index, column in drawn:
            draw_line(axes, curves[index], column, index, choice.band)
        axes.set_title(shortened(name, MAX_PANEL_NAME), fontsize=9, loc="left")
        set_axes(axes, right, ticks=6 if columns == 1 else 4)
    add_legend(figure, [group.title for group in groups])
    add_title(
        figure,
        drawn_data_warning(groups),
        f"Test accuracy of {len(groups)} groups of runs against {x_label}",
        "only the mean over the tasks, as there are many lines" if list(lines) == [MEAN] else "",
        "at the last evaluation of each turn" if against == "switches" else "",
        averaging(groups, choice),
    )
    return figure


def lines_of(groups: Sequence[Group], choice: Choice) -> dict[str, list[tuple[int, int]]]:
    """Returns each panel's lines in a comparison: indices of groups, and columns of their curves.

    There is a panel for each task if these and the groups are few, and one for the mean over
    several tasks.
    """
    names = tasks_shown(groups, choice)
    if len(names) > MAX_TASKS or (len(groups) > MAX_GROUPS and len(names) > 1):
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
    return Curves(*(each[last] for each in (switches, curves.mean, curves.deviation, curves.runs)))
