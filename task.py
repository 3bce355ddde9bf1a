"""Trains one small network on several image tasks in turn, and shows what it learns and forgets."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from command import exit_code_of, prepare_outputs
from interrupts import Interrupted, Interrupts
from runs.config import CONFIG
from runs.describe import describe_run, plain_settings, taken_up, what_will_run
from runs.files import write_json
from runs.folder import SUMMARY, locked, new_run_folder, resume_command
from settings import parse_flags
from settings.checks import chosen_tasks
from tasks import Task, describe_tasks

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    from data.dataset import Dataset
    from runs.display import Display
    from training.trainer import Trainer


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code: see the README."""

    def action(interrupts: Interrupts) -> int:
        settings = parse_flags(arguments)
        if settings.list_tasks:
            print(describe_tasks("\n"))
            return 0
        if settings.dry_run:
            print(json.dumps(plain_settings(settings), indent=2))
            return 0
        return run(settings, interrupts)

    return exit_code_of("task.py", action)


def run(settings: argparse.Namespace, interrupts: Interrupts) -> int:
    """Begins a run or takes one up, in a folder that is this process's alone meanwhile."""
    from runs.display import Display

    display = Display(settings.quiet, settings.tasks)
    with ExitStack() as held:
        if settings.resume:
            held.enter_context(locked(settings.resume))
            if is_done(settings.resume, settings.max_steps):
                display.say(f"{settings.resume} is done; --max-steps makes it go further")
                return 0
        trainer, config = make_ready(settings, display)
        held.enter_context(interrupts.deferred())
        folder = settings.resume or held.enter_context(new_run_folder(settings, config))
        try:
            return train(trainer, config, folder, display, interrupts)
        except Interrupted as interrupted:
            interrupted.way_on = f"; go on from what was saved with: {resume_command(folder)}"
            raise


def is_done(folder: Path, max_steps: int) -> bool:
    """Whether the run in that folder has come to its end after so many steps or more."""
    try:
        return json.loads((folder / SUMMARY).read_bytes())["step"] >= max_steps
    except (OSError, ValueError, KeyError, TypeError):  # not there, or not one
        return False


def make_ready(settings: argparse.Namespace, display: "Display") -> "tuple[Trainer, dict]":
    """Loads TensorFlow and the data, and builds the network; with it what `config.json` says."""
    from training.device import choose_device

    with display.busy("Loading TensorFlow"):
        device = choose_device(settings.gpu, settings.threads)
        from data.loading import load_datasets
        from runs.log import told_in_a_line
        from training.trainer import Trainer

    tasks = chosen_tasks(settings)
    datasets = load_datasets({task.dataset: None for task in tasks}, settings)
    if settings.epochs:
        settings.max_steps = steps_of_epochs(settings, tasks, datasets)
    with told_in_a_line(lambda: "building the network"):
        trainer = Trainer(settings, tasks, datasets)
    # The arrays are let go with this: the trainer has copies of its own, on the device.
    return trainer, describe_run(trainer, tasks, datasets, device)


def train(
    trainer: "Trainer", config: dict, folder: Path, display: "Display", interrupts: Interrupts
) -> int:
    """Trains from where the run in the folder was saved last, if it was, and reports."""
    from reports.metrics import summarize
    from runs.log import RunLog, cut_back, told_in_a_line, writing

    settings = trainer.settings
    with told_in_a_line(lambda: f"writing {folder}"):
        lengths = trainer.take_up(folder)
        if settings.resume:
            config = taken_up(folder, config, trainer.step)
            with writing(folder / CONFIG, folder):
                write_json(folder / CONFIG, config)
        cut_back(folder, trainer.step, lengths or {}, trainer.history)
        display.announce(what_will_run(config, folder))
        with RunLog(folder, settings.tasks) as log:
            if lengths is None:
                log.describe(config["settings"], trainer.graph())
            with display.training(trainer.step, settings.max_steps):
                done = trainer.run(log, display, interrupts.stopped)
        if not done:
            display.stopped(trainer.step, resume_command(folder))
            return 128 + interrupts.received
        summary = summarize(trainer.history, settings.tasks, trainer.schedule.switches)
        with writing(folder / SUMMARY, folder):
            write_json(folder / SUMMARY, {"step": trainer.step, **summary})
    display.results(summary, drawn=settings.fake_data)
    display.say(f"all of it is in {folder}")
    return 0


def steps_of_epochs(
    settings: argparse.Namespace, tasks: list[Task], datasets: "dict[str, Dataset]"
) -> int:
    """How many steps go --epochs times through the largest task's training set."""
    largest = max(len(task.choose(datasets[task.dataset].train.labels)[1]) for task in tasks)
    return math.ceil(settings.epochs * largest / settings.batch)


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
