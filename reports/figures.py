"""The main figure: the accuracies of a group's tasks over the steps, with their turns."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.choice import BANDS, DEFAULT, Choice
from reports.groups import Group, drawn_data_warning, shortened
from reports.style import (
    COLORS,
    WIDTH,
    add_legend,
    add_title,
    draw_line,
    line_style,
    new_panels,
    set_axes,
)

# More lines in one panel could not be distinguished.
MAX_TASKS = 6
# More panels would take minutes to draw. Omniglot has 50 alphabets.
MAX_PANELS = 51
# More turns are too narrow to see.
MAX_TURNS = 60
# Characters that fit beside a row, and above one of three panels in large and in small letters.
MAX_ROW_NAME = 24
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


def draw_group(group: Group, choice: Choice = DEFAULT) -> Figure:
    """Draws each task's accuracy over the steps, and when it was trained."""
    turns, reason = turns_of(group)
    shown = choice.columns(group)
    draw = draw_together if len(shown) <= MAX_TASKS else draw_apart
    figure = draw(group, turns, choice)
    # The title of a lone run names its progress already.
    unfinished = group.unfinished if len(group.runs) > 1 else []
    add_title(
        figure,
        drawn_data_warning([group]),
        f"Test accuracy: {group.title}",
        f"the first {MAX_PANELS} of {len(shown):,} tasks" * (len(shown) > MAX_PANELS),
        reason,
        averaging([group], choice),
        "; ".join(f"seed {run.seed} {run.progress}" for run in unfinished),
    )
    return figure


def averaging(groups: Sequence[Group], choice: Choice) -> str:
    """Returns the meaning of the lines and bands; empty where each group is a single run."""
    if max(len(group.runs) for group in groups) == 1:
        return ""
    unequal = any(len({run.last_step for run in group.runs}) > 1 for group in groups)
    which = " that have reached a step" if unequal else ""
    return f"mean over the seeds{which}, with a band of ± {BANDS[choice.band]}"


def draw_together(group: Group, turns: Sequence[Turn], choice: Choice) -> Figure:
    """Draws the tasks in one panel, below a row for each that shows when it was trained."""
    shown = choice.columns(group)
    tasks = [group.tasks[index] for index in shown]
    places = {index: place for place, index in enumerate(shown)}
    turns = [(start, end, places[task]) for start, end, task in turns if task in places]
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
    for index, place in places.items():
        draw_line(axes, group.curves, index, place, choice.band)
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


def draw_apart(group: Group, turns: Sequence[Turn], choice: Choice) -> Figure:
    """Draws a panel for each task, up to a number of them, shaded while that task is trained."""
    curves, columns = group.curves, choice.columns(group)[:MAX_PANELS]
    tasks = [group.tasks[index] for index in columns]
    figure, panels = new_panels(len(tasks), 3, 1.35, "steps")
    size = 8 if max(map(len, tasks)) <= MAX_LARGE_NAME else 7
    names = all_shortened(tasks, MAX_SMALL_NAME)
    for index, axes, name in zip(columns, panels, names, strict=True):
        for start, end, task in turns:
            if task == index:
                axes.axvspan(start, end, color="0.82", lw=0)
        axes.plot(curves.x, 100 * curves.mean[:, -1], **MEAN_STYLE)
        draw_line(axes, curves, index, 0, choice.band)
        set_axes(axes, curves.x[-1], ticks=3)
        axes.set_title(name, fontsize=size, loc="left", pad=3)
    names = ["the task that the panel names", MEAN, *(["while it is trained"] if turns else [])]
    handles = [Line2D([], [], **line_style(0)), Line2D([], [], **MEAN_STYLE), Patch(color="0.82")]
    add_legend(figure, names, handles[: len(names)])
    return figure
