"""The main figure of a lone run, as a picture for TensorBoard."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from reports.groups import group_runs
from reports.runs import read_run
from reports.writing import import_matplotlib


def draw_run(folder: Path) -> np.ndarray:
    """Draws the test accuracies of a run that is about to finish, with its turns.

    Returns:
        [H, W, 3] uint8.
    """
    import_matplotlib()
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from reports.figures import draw_group
    from reports.style import SETTINGS

    (group,), _ = group_runs([replace(read_run(folder), has_summary=True)])
    with style.context(SETTINGS, after_reset=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of characters that the font lacks
        canvas = FigureCanvasAgg(draw_group(group))
        canvas.draw()
        return np.array(canvas.buffer_rgba())[..., :3]
