"""Trains one small network on several image tasks in turn, and shows what it learns and forgets."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from command import accept_any_encoding, exit_code_of
from describe import describe_run, plain_settings, what_will_run
from files import write_json
from flags import parse_flags
from flags.checks import chosen_tasks
from interrupts import Interrupts
from tasks import Task, describe_tasks

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    from data.dataset import Dataset


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
    """Loads the data, trains, and reports."""
    from device import choose_device
    from display import Display

    display = Display(settings.quiet, settings.tasks)
    with display.busy("Loading TensorFlow"):
        device = choose_device(settings.gpu, settings.threads)
        from data.loading import load_datasets
        from metrics import summarize
        from runlog import RunLog, create_run_folder, told_in_a_line
        from train import Trainer

    tasks = chosen_tasks(settings)
    datasets = load_datasets({task.dataset: None for task in tasks}, settings)
    if settings.epochs:
        settings.max_steps = steps_of_epochs(settings, tasks, datasets)
    trainer = Trainer(settings, tasks, datasets)
    folder = create_run_folder(settings)
    config = describe_run(trainer, tasks, datasets, device)
    del datasets  # the trainer has copies of its own, on the device
    display.announce(what_will_run(config, folder))
    with told_in_a_line(lambda: f"writing {folder}"), RunLog(folder, settings.tasks) as log:
        log.describe(config, trainer.graph())
        with display.training(settings.max_steps), interrupts.deferred():
            trainer.run(log, display, interrupts.stopped)
        if interrupts.received is not None and trainer.step < settings.max_steps:
            display.say(f"stopped after {trainer.step:,} steps; what was learned is in {folder}")
            return 128 + interrupts.received
        summary = summarize(trainer.history, settings.tasks, trainer.schedule.switches)
        write_json(folder / "summary.json", {"step": trainer.step, **summary})
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
    accept_any_encoding()
    sys.exit(main())
