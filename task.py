"""Trains one small network on several image tasks in turn, and shows what it learns and forgets."""

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from errors import RequestError, RunError
from flags import describe_tasks, parse_flags
from interrupts import Interrupted, Interrupts
from tasks import TASKS

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    from data.dataset import Dataset
    from train import Trainer

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "tensorboard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code: see the README."""
    try:
        with Interrupts() as interrupts:
            settings = parse_flags(arguments)
            if settings.list_tasks:
                print(describe_tasks("\n"))
                return 0
            if settings.dry_run:
                print(json.dumps(plain_settings(settings), indent=2))
                return 0
            return run(settings, interrupts)
    except RequestError as error:
        print(f"task.py: error: {error}", file=sys.stderr)
        return 2
    except (RunError, OSError) as error:
        print(f"task.py: failed: {error}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("task.py: stopped", file=sys.stderr)
        return 128 + interrupted.signal_number


def run(settings: argparse.Namespace, interrupts: Interrupts) -> int:
    """Loads the data, trains, and reports."""
    from device import choose_device
    from display import Display

    display = Display(settings.quiet, settings.tasks, settings.max_steps)
    with display.busy("Loading TensorFlow"):
        device = choose_device(settings.gpu)
        from data import load_datasets
        from metrics import summarize
        from runlog import RunLog, create_run_folder, write_json
        from train import Trainer

    datasets = load_datasets({TASKS[name].dataset: None for name in settings.tasks}, settings)
    trainer = Trainer(settings, datasets)
    folder = create_run_folder(settings)
    display.announce(what_will_run(settings, datasets, trainer, device, folder))
    with RunLog(folder, settings.tasks) as log:
        log.describe(describe_run(settings, datasets, trainer, device), trainer.graph())
        with display.training(), interrupts.deferred():
            trainer.run(log, display, interrupts.stopped)
        if interrupts.received is not None:
            display.say(f"stopped after {trainer.step:,} steps; what was learned is in {folder}")
            return 128 + interrupts.received
        summary = summarize(trainer.history, settings.tasks)
        write_json(folder / "summary.json", {"step": trainer.step, **summary})
    display.results(summary)
    return 0


def plain_settings(settings: argparse.Namespace) -> dict:
    """The settings as JSON can hold them."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(settings).items()
        if name not in ("list_tasks", "dry_run")
    }


def describe_run(
    settings: argparse.Namespace, datasets: "dict[str, Dataset]", trainer: "Trainer", device: str
) -> dict:
    """What `config.json` says: all that a run follows from."""
    return {
        "settings": plain_settings(settings),
        "seed": settings.seed,
        "fake_data": settings.fake_data,
        "data": {
            name: {
                "origin": dataset.origin,
                "train": len(dataset.train.labels),
                "test": len(dataset.test.labels),
                "classes": dataset.class_names,
            }
            for name, dataset in datasets.items()
        },
        "parameters": trainer.network.count_params(),
        "device": device,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "command": shlex.join(sys.argv),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def what_will_run(
    settings: argparse.Namespace,
    datasets: "dict[str, Dataset]",
    trainer: "Trainer",
    device: str,
    folder: Path,
) -> list[tuple[str, str]]:
    """What is told before training: a label and a text to a row."""
    rows = []
    for index, name in enumerate(settings.tasks):
        data = datasets[TASKS[name].dataset]
        sizes = f"{len(data.train.labels):,} to train, {len(data.test.labels):,} to test"
        rows.append(("" if index else "tasks", f"{name}: {TASKS[name].description}; {sizes}"))
    rows += [("data", dataset.origin) for dataset in datasets.values()]
    if settings.fake_data:
        rows.append(("", "DRAWN DATA: its accuracies say nothing of MNIST or of photographs"))
    layers = " ".join(settings.network)
    norm = {"batch": "batch", "lrn": "local response", "none": "no"}[settings.norm]
    rows += [
        (
            "network",
            f"{layers}: {trainer.network.count_params():,} parameters, {norm} normalisation",
        ),
        (
            "training",
            f"{settings.optimizer}, learning rate {settings.learning_rate:g}, batch "
            f"{settings.batch}, keep probability {settings.dropout:g}, seed {settings.seed}",
        ),
        ("schedule", f"{settings.max_steps:,} steps, {settings.task_time:,} on each task in turn"),
        ("device", device),
        ("folder", str(folder)),
        ("to watch", f"tensorboard --logdir {shlex.quote(str(settings.log_dir))}"),
    ]
    return rows


if __name__ == "__main__":
    sys.exit(main())
