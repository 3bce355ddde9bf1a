"""Trains one small network on several image tasks in turn, and logs what it learns and forgets."""

import os
import sys

if __name__ == "__main__":  # before the imports below, which take a while
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from program import run_program

    run_program("task")

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command import Interrupts, exit_code_of, is_terminal
from errors import Interrupted
from files import read_regular, write_json, write_whole
from runs.config import CONFIG, check_saved, fixed_settings
from runs.folder import MATRIX, SUMMARY, locked, new_run_folder, resume_command
from runs.request import read_request
from settings import Settings
from tasks import Task, describe_tasks
from tasks.resolve import choose_tasks

if TYPE_CHECKING:  # imports that take seconds wait until the flags have been checked
    from data.dataset import Dataset
    from runs.display import Display
    from training.problem import Problem
    from training.trainer import Trainer


@dataclass(frozen=True)
class Start:
    """The folder in which a run starts or resumes."""

    folder: Path
    config: dict[str, Any]  # as `describe_run` returns it now
    resumed: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""

    def action(interrupts: Interrupts) -> int:
        command, settings = read_request(sys.argv[1:] if arguments is None else arguments)
        if command.list_tasks:
            print(describe_tasks())
            return 0
        if command.dry_run:
            print(json.dumps(settings.to_json(), indent=2))
            return 0
        return run(settings, command.resume, interrupts)

    return exit_code_of("task.py", action)


def run(settings: Settings, resumed: Path | None, interrupts: Interrupts) -> int:
    """Starts a run, or resumes the one in a folder, and holds the folder's lock meanwhile."""
    from runs.display import Display

    display = Display(settings.log.quiet, settings.tasks.tasks)
    with ExitStack() as held:
        if resumed:
            held.enter_context(locked(resumed))
            if is_finished(resumed, settings.tasks.max_steps):
                display.say(f"{resumed} is already finished; raise --max-steps to continue")
                return 0
        settings, problem, config = prepare(settings, display, bool(resumed))
        held.enter_context(interrupts.deferred())
        folder = resumed or held.enter_context(new_run_folder(settings, config))
        try:
            return train(
                settings, problem, Start(folder, config, bool(resumed)), display, interrupts
            )
        except Interrupted as interrupted:
            interrupted.advice = f"; resume from the last checkpoint with: {resume_command(folder)}"
            raise


def is_finished(folder: Path, max_steps: int) -> bool:
    """Tells whether the run in a folder has finished after so many steps or more."""
    try:
        return json.loads(read_regular(folder / SUMMARY))["step"] >= max_steps
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # missing, or no summary
        return False


def prepare(
    settings: Settings, display: "Display", resumed: bool
) -> "tuple[Settings, Problem, dict[str, Any]]":
    """Loads TensorFlow and the data, and builds the network.

    Returns:
        The settings with --epochs turned into steps, the problem, and the contents of
        `config.json`.
    """
    from training.device import choose_device

    with display.busy("Loading TensorFlow"):
        device = choose_device(settings.device, is_terminal() and not settings.log.quiet)
        from data.loading import load_datasets
        from runs.description import describe_run
        from runs.failures import as_run_error
        from training.problem import Problem

    tasks = choose_tasks(settings.tasks, settings.data, settings.log.quiet)
    datasets = load_datasets(
        {task.dataset: None for task in tasks},
        settings.data,
        settings.input.image_size,
        settings.log.quiet,
        from_config=resumed,
    )
    if settings.tasks.epochs:
        settings = settings.replace(max_steps=steps_of_epochs(settings, tasks, datasets))
    with as_run_error(lambda: "building the network"):
        problem = Problem(settings, tasks, datasets)
    # The arrays are freed after this: the problem has copies of its own, on the device.
    parameters = problem.network.count_params()
    return settings, problem, describe_run(settings, tasks, datasets, parameters, device)


def train(
    settings: Settings,
    problem: "Problem",
    start: Start,
    display: "Display",
    interrupts: Interrupts,
) -> int:
    """Trains from the last checkpoint in the folder, if there is one, and summarizes the run."""
    from reports.picture import draw_run
    from reports.so_far import MetricsSoFar
    from runs.announcement import announce_run
    from runs.checkpoints import Checkpoints, Progress
    from runs.failures import as_run_error
    from runs.log import RunLog, check_not_begun, truncate
    from tasks.schedule import make_schedule
    from training.pictures import log_examples
    from training.trainer import Trainer

    folder = start.folder
    with as_run_error(lambda: f"writing {folder}"):
        checkpoints = Checkpoints(folder, problem.network, problem.optimizer, problem.scales())
        progress = checkpoints.restore()
        if progress is None:
            check_not_begun(folder)
            progress = Progress(settings=fixed_settings(settings))
            checkpoints.save(progress)
        check_saved(folder, settings, progress.settings, progress.step)
        config = update_config(start, progress.step) if start.resumed else start.config
        truncate(folder, progress.step, progress.log, progress.history)
        display.announce(announce_run(settings, config, folder))
        with RunLog(folder, settings.tasks.tasks) as log:
            log.begin_session(settings)
            if not progress.step:
                log.describe(settings.to_json(), problem.graph())
                log_examples(problem, settings.input, log)
            schedule = make_schedule(settings.tasks, settings.training.seed)
            measure = MetricsSoFar(schedule, progress.history).add
            trainer = Trainer(settings, problem, progress, log, display, measure)
            with display.training(progress.step, settings.tasks.max_steps):
                finished = trainer.run(checkpoints, interrupts.stopped)
            if finished:
                log.picture("test", trainer.step, "accuracy/turns", draw_run, folder)
                log.end_session()
        if not finished:
            display.stopped(trainer.step, resume_command(folder))
            return 128 + interrupts.received
        summary = write_results(trainer, settings, folder)
    display.results(summary, drawn=settings.data.fake_data)
    display.say(f"everything is in {folder}")
    return 0


def write_results(trainer: "Trainer", settings: Settings, folder: Path) -> dict[str, Any]:
    """Writes `matrix.csv`, where there is a matrix, and then `summary.json`, which it returns."""
    from reports.matrix import make_matrix, to_csv
    from reports.summary import summarize
    from runs.failures import write_errors

    matrix = make_matrix(trainer.history, trainer.schedule)
    if matrix is not None:
        with write_errors(folder / MATRIX, folder):
            write_whole(folder / MATRIX, to_csv(matrix, settings.tasks.tasks))
    summary = summarize(trainer.history, settings, trainer.schedule)
    with write_errors(folder / SUMMARY, folder):
        write_json(folder / SUMMARY, {"step": trainer.step, **summary})
    return summary


def update_config(start: Start, step: int) -> dict[str, Any]:
    """Adds to `config.json` that the run is resumed after `step` steps, and returns it."""
    from runs.description import describe_resumed
    from runs.failures import write_errors

    config = describe_resumed(start.folder, start.config, step)
    with write_errors(start.folder / CONFIG, start.folder):
        write_json(start.folder / CONFIG, config)
    return config


def steps_of_epochs(
    settings: Settings, tasks: Sequence[Task], datasets: "Mapping[str, Dataset]"
) -> int:
    """Returns the steps that --epochs passes through the largest task's training set take."""
    largest = max(len(task.choose(datasets[task.dataset].train.labels)[1]) for task in tasks)
    return math.ceil(settings.tasks.epochs * largest / settings.training.batch)
